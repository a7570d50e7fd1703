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

  /// A capability that the object serves, whose methods all answer before they return: no task is
  /// made for a call.
  ///
  /// - Parameters:
  ///   - server: the object.
  ///   - interface: what the object implements, for diagnoses.
  ///   - dispatch: calls the object's method; false where the interface has none that fits.
  public init<Server: CapabilityServer>(
    serving server: Server, immediately interface: InterfaceDescription,
    dispatch: @escaping @Sendable (Server, ServerCall) throws -> Bool
  ) {
    target = LocalCapability(interface, immediately: { call in try dispatch(server, call) })
  }
}

/// A capability of this process: the object behind it and how its methods are called.
final class LocalCapability: TurnTarget {
  let interface: InterfaceDescription
  let turns = TurnQueue()
  let answersAtOnce: Bool
  /// Calls a method on this thread. A closure, and not a choice of two: that would be counted with each
  /// call.
  private let start: @Sendable (ServerCall, any Responder) -> CallRoute?
  /// Of an object with streaming methods.
  private let gate: StreamGate?
  private let stream = StreamPlace()
  var streamWriter: StreamWriter { stream.writer() }

  /// An object whose methods may suspend, and go on elsewhere then.
  init(
    _ interface: InterfaceDescription,
    _ dispatch: nonisolated(nonsending) @escaping @Sendable (ServerCall) async throws -> Bool
  ) {
    self.interface = interface
    answersAtOnce = false
    gate = interface.hasStreams ? StreamGate() : nil
    start = { call, responder in
      let cancellation = CallCancellation()
      let task = Task.immediate {
        do {
          if try await dispatch(call) {
            cancellation.follow(call.respond(to: responder))
            return
          }
          responder.returnError(call.unimplemented(by: interface))
        } catch {
          responder.returnThrown(error, by: call, of: interface)
        }
        cancellation.end()
      }
      // The handler may have passed the call on already.
      cancellation.begin { task.cancel() }
      return cancellation.hasEnded ? nil : .local(cancellation)
    }
  }

  /// An object whose methods return when they have answered.
  init(
    _ interface: InterfaceDescription,
    immediately dispatch: @escaping @Sendable (ServerCall) throws -> Bool
  ) {
    self.interface = interface
    answersAtOnce = true
    gate = interface.hasStreams ? StreamGate() : nil
    start = { call, responder in
      do {
        if try dispatch(call) { return call.respond(to: responder) }
        responder.returnError(call.unimplemented(by: interface))
      } catch {
        responder.returnThrown(error, by: call, of: interface)
      }
      return nil
    }
  }

  func deliver(_ delivered: consuming DeliveredCall, responder: any Responder) -> CallRoute? {
    let interfaceID: UInt64
    let methodID: UInt16
    do {
      let body = try delivered.message.reader.call
      interfaceID = body.interfaceId
      methodID = body.methodId
    } catch {
      responder.returnError(.failed("the call is invalid: \(error)"))
      return nil
    }
    let call = ServerCall(delivered, interfaceID: interfaceID, methodID: methodID)
    let isStreaming = interface.hasStreams && interface.streams(interfaceID, methodID)
    // Not bound to a name before it is needed: it would be counted with each call.
    if !isStreaming, gate?.isOpen ?? true { return start(call, responder) }
    guard let gate else { return start(call, responder) }
    return gate.admit(isStreaming: isStreaming, responder) { self.start(call, $0) }
  }
}
