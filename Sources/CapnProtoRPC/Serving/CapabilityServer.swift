import CapTP
import CapnProto

/// An object that implements an interface: a class or an actor.
///
/// Generated `Server` protocols refine it. The object lives as long as somebody holds a capability
/// to it, here or behind a connection.
public protocol CapabilityServer: AnyObject, Sendable {}

extension Capability {
  /// A capability that the object serves.
  ///
  /// - Parameters:
  ///   - server: the object.
  ///   - interface: what the object implements, for diagnoses.
  ///   - dispatch: calls the object's method; false where the interface has none that fits.
  public init<Server: CapabilityServer>(
    serving server: Server, _ interface: InterfaceDescription,
    dispatch: nonisolated(nonsending) @escaping @Sendable (Server, ServerCall) async throws -> Bool
  ) {
    target = LocalCapability(interface) { call in try await dispatch(server, call) }
  }
}

/// A capability of this process: the object behind it and how its methods are called.
final class LocalCapability: CallTarget {
  let interface: InterfaceDescription
  private let dispatch: nonisolated(nonsending) @Sendable (ServerCall) async throws -> Bool
  /// Calls of this process, so that none runs on its caller's stack.
  private let turns = TurnQueue()
  /// Of an object with streaming methods.
  private let gate: StreamGate?
  private let stream = StreamPlace()
  var streamWriter: StreamWriter { stream.writer() }

  var mayLeadOn: Bool { false }

  init(
    _ interface: InterfaceDescription,
    dispatch: nonisolated(nonsending) @escaping @Sendable (ServerCall) async throws -> Bool
  ) {
    self.interface = interface
    self.dispatch = dispatch
    gate = interface.hasStreams ? StreamGate() : nil
  }

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute {
    do {
      let call = try DeliveredCall(call)
      let cancellation = CallCancellation()
      let responder = CallerResponder(caller: caller)
      turns.execute { self.admit(call, responder, cancellation) }
      return .local(cancellation)
    } catch {
      caller.finish(.failure(.failed("the call is invalid: \(error)")))
      return .local(CallCancellation())
    }
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute {
    let cancellation = CallCancellation()
    admit(call, responder, cancellation)
    return .local(cancellation)
  }

  private func admit(
    _ delivered: DeliveredCall, _ responder: any Responder, _ cancellation: CallCancellation
  ) {
    guard let gate else {
      start(delivered, responder, cancellation)
      return
    }
    // Messages that are invalid are told so when they are started.
    let call = try? delivered.message.reader.call
    let isStreaming = interface.streams(call?.interfaceId ?? 0, call?.methodId ?? 0)
    gate.admit(isStreaming: isStreaming, responder, cancellation) {
      self.start(delivered, $0, $1)
    }
  }

  /// Starts the handler on this thread; it goes on elsewhere if it suspends.
  private func start(
    _ delivered: DeliveredCall, _ responder: any Responder, _ cancellation: CallCancellation
  ) {
    let call: ServerCall
    do {
      call = try ServerCall(delivered)
    } catch {
      responder.returnError(.failed("the call is invalid: \(error)"))
      return
    }
    let task = Task.immediate { [dispatch, interface] in
      do {
        if try await dispatch(call) {
          call.respond(to: responder, cancellation)
          return
        } else {
          responder.returnError(
            .unimplemented(
              interface.diagnosis(interfaceID: call.interfaceID, methodID: call.methodID)))
        }
      } catch {
        responder.returnError(RPCError(thrown: error))
      }
      cancellation.end()
    }
    // The handler may have passed the call on already.
    cancellation.begin { task.cancel() }
  }
}

extension RPCError {
  /// The error that a handler threw, as the peer may see it: no addresses, no paths.
  init(thrown error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as any TypedRPCError: self.init(error)
    case is CancellationError: self = .failed("the call was cancelled")
    case let error as DecodingError: self = .failed("the params are invalid: \(error)")
    case let error as any CustomStringConvertible: self = .failed(Self.redacted("\(error)"))
    default: self = .failed("\(type(of: error))")
    }
  }

  /// The text without words that look like a path or an address of this process.
  private static func redacted(_ text: String) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false).map { word in
      let bare = word.drop { "\"'(<=".contains($0) }
      return bare.hasPrefix("/") || bare.hasPrefix("0x") || bare.hasPrefix("file:")
        ? "[redacted]" : String(word)
    }.joined(separator: " ")
  }
}
