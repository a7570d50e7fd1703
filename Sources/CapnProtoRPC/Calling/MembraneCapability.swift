import CapTP
import CapnProto

/// An object of one side, as the other side holds it.
final class MembraneCapability: TurnTarget {
  let membrane: Membrane
  let id: UInt64
  /// Where the object lives.
  let side: Membrane.Side
  let turns = TurnQueue()
  private let stream = StreamPlace()
  var streamWriter: StreamWriter { stream.writer(streamLimits) }
  var streamLimits: StreamLimits { limitsTarget?.streamLimits ?? StreamLimits() }
  var callTimeout: Duration? { limitsTarget?.callTimeout }
  let wrapperCount: Int

  init(membrane: Membrane, id: UInt64, side: Membrane.Side, wrapperCount: Int) {
    self.membrane = membrane
    self.id = id
    self.side = side
    self.wrapperCount = wrapperCount
  }

  deinit { membrane.release(id) }

  func next(for purpose: ChainPurpose) -> (any CallTarget)? {
    switch purpose {
    case .limits, .release: membrane.target(id)
    // Each call crosses the membrane, which has a say in it, and it is another object on each side.
    case .send, .deliver, .identity: nil
    }
  }

  func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus {
    membrane.status(id, notifying: watcher)
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    guard responder.hops < CapabilityChain.limit else {
      responder.returnError(CapabilityChain.error)
      return nil
    }
    do {
      let body = try call.message.reader.call
      let target = try membrane.target(
        id,
        of: MembraneCrossing(
          direction: side == .inside ? .inbound : .outbound,
          interfaceID: body.interfaceId, methodID: body.methodId))
      let crossing = MembraneCall(
        membrane, from: side, body.interfaceId, body.methodId, responder: responder)
      let params = try call.copied()
      responder.noteCopy(words: params.message.words)
      params.message.mapCapabilities {
        membrane.cross($0, from: side.other)
      }
      let delivered = try DeliveredCall(params)
      try crossing.begin()
      guard let route = target.deliver(delivered, responder: crossing) else { return nil }
      crossing.started(route)
      let cancellation = CallCancellation()
      cancellation.start { crossing.fail(.failed("the call was cancelled")) }
      return .local(cancellation)
    } catch let error as RPCError {
      responder.returnError(error)
    } catch {
      responder.returnError(.failed("the call cannot be passed on: \(error)"))
    }
    return nil
  }
}
