import CapnProtoRPC
import CapnProtoTesting
import Tracing

/// An object without a schema.
final class TestObject: CapabilityServer {
  enum Method: UInt16 { case answer, overload, hang }
  static let interface = InterfaceDescription(
    id: 0xa1b2_c3d4_e5f6_0718, name: "test.capnp:Test", methods: ["answer", "overload", "hang"])

  /// A connection to an object that makes a span of its own.
  static func connect(
    client: any ConnectionObserver, server: any ConnectionObserver,
    tracing tracer: (any Tracer)? = nil
  ) -> (client: RPCConnection, server: RPCConnection) {
    let object = Capability(serving: TestObject(), interface) { _, call in
      tracer?.startAnySpan("inner").end()
      switch Method(rawValue: call.methodID) {
      case .answer: return true
      case .overload: throw RPCError.overloaded("a secret")
      case .hang:
        try await Task.sleep(for: .seconds(600))
        return true
      case nil: return false
      }
    }
    return InMemoryNetwork.connect(
      server: object, observers: [client], serverObservers: [server])
  }

  static func call(_ object: Capability, _ method: Method) async throws {
    let call = object.call(interfaceID: interface.id, methodID: method.rawValue) { _ in }
    try await call.results { _ in }
  }
}
