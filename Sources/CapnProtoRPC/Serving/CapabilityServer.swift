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
    target = LocalCapability(interface, .later { call in try await dispatch(server, call) })
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
    target = LocalCapability(interface, .now { call in try dispatch(server, call) })
  }
}

/// A capability of this process: the object behind it and how its methods are called.
final class LocalCapability: TurnTarget {
  /// How a method is called.
  enum Dispatch: Sendable {
    /// It returns when it has answered.
    case now(@Sendable (ServerCall) throws -> Bool)
    /// It may wait.
    case later(Handler)
  }
  typealias Handler = nonisolated(nonsending) @Sendable (ServerCall) async throws -> Bool
  let interface: InterfaceDescription
  private let dispatch: Dispatch
  let turns = TurnQueue()
  var answersAtOnce: Bool { if case .now = dispatch { true } else { false } }
  /// Of an object with streaming methods.
  private let gate: StreamGate?
  private let stream = StreamPlace()
  var streamWriter: StreamWriter { stream.writer() }

  init(_ interface: InterfaceDescription, _ dispatch: Dispatch) {
    self.interface = interface
    self.dispatch = dispatch
    gate = interface.hasStreams ? StreamGate() : nil
  }

  func deliver(_ delivered: DeliveredCall, responder: any Responder) -> CallRoute? {
    let call: ServerCall
    do {
      call = try ServerCall(delivered)
    } catch {
      responder.returnError(.failed("the call is invalid: \(error)"))
      return nil
    }
    guard let gate else { return start(call, responder) }
    let isStreaming = interface.streams(call.interfaceID, call.methodID)
    if !isStreaming, gate.isOpen { return start(call, responder) }
    return gate.admit(isStreaming: isStreaming, responder) { self.start(call, $0) }
  }

  /// Starts the handler on this thread; it goes on elsewhere if it suspends.
  private func start(_ call: ServerCall, _ responder: any Responder) -> CallRoute? {
    switch dispatch {
    case .now(let dispatch):
      do {
        if try dispatch(call) { return call.respond(to: responder) }
        responder.returnError(diagnosis(call))
      } catch {
        responder.returnError(RPCError(thrown: error))
      }
      return nil
    case .later(let dispatch):
      let cancellation = CallCancellation()
      let task = Task.immediate { [self] in
        do {
          if try await dispatch(call) {
            cancellation.follow(call.respond(to: responder))
            return
          }
          responder.returnError(diagnosis(call))
        } catch {
          responder.returnError(RPCError(thrown: error))
        }
        cancellation.end()
      }
      // The handler may have passed the call on already.
      cancellation.begin { task.cancel() }
      return cancellation.hasEnded ? nil : .local(cancellation)
    }
  }

  private func diagnosis(_ call: ServerCall) -> RPCError {
    .unimplemented(interface.diagnosis(interfaceID: call.interfaceID, methodID: call.methodID))
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
