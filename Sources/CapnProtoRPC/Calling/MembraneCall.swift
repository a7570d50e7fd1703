import CapTP
import CapnProto
import Logging
import Synchronization

/// A call that crosses a membrane, until its outcome has crossed back.
final class MembraneCall: Responder {
  private struct State {
    var responder: (any Responder)?
    var route: CallRoute?
    var id: UInt64?
  }
  private let membrane: Membrane
  /// Where the called object lives, and its results come from.
  private let side: Membrane.Side
  let interfaceID: UInt64
  let methodID: UInt16
  let hops: Int
  private let state: Mutex<State>

  init(
    _ membrane: Membrane, from side: Membrane.Side, _ interfaceID: UInt64, _ methodID: UInt16,
    responder: any Responder
  ) {
    self.membrane = membrane
    self.side = side
    self.interfaceID = interfaceID
    self.methodID = methodID
    hops = responder.hops + 1
    state = Mutex(State(responder: responder))
  }

  func begin() throws(RPCError) {
    let id = try membrane.begin(self).get()
    state.withLock { $0.id = id }
  }

  func started(_ route: CallRoute) {
    let isOver = state.withLock { state in
      if state.responder != nil { state.route = route }
      return state.responder == nil
    }
    // It may have failed meanwhile, and then nobody wants its outcome.
    if isOver { route.cancel() }
  }

  func returnResults(_ message: consuming MessageBuilder) {
    guard let responder = finish().responder else { return }
    message.mapCapabilities { membrane.cross($0, from: side) }
    responder.returnResults(message)
  }

  func returnError(_ error: RPCError) { finish().responder?.returnError(error) }

  var logger: Logger { state.withLock { $0.responder }?.logger ?? Logger(label: "capnp.rpc") }

  func noteCopy(words: Int) { state.withLock { $0.responder }?.noteCopy(words: words) }

  /// Ends the call from this side of the membrane.
  func fail(_ error: RPCError) {
    let (responder, route) = finish()
    responder?.returnError(error)
    route?.cancel()
  }

  /// Whom to tell the outcome: the first time, and nobody later.
  private func finish() -> (responder: (any Responder)?, route: CallRoute?) {
    let ended = state.withLock { state in
      defer {
        state.responder = nil
        state.route = nil
      }
      return state
    }
    if let id = ended.id { membrane.end(id) }
    return (ended.responder, ended.route)
  }
}
