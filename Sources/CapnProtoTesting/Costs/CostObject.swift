import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization

/// An object that does with the params of a call what the entry point says.
final class CostObject: CallTarget {
  private let entry: MessageCost.EntryPoint
  private let meter: CostMeter
  private let stream = StreamPlace()
  var streamWriter: StreamWriter { stream.writer() }

  init(_ entry: MessageCost.EntryPoint, _ meter: CostMeter) {
    self.entry = entry
    self.meter = meter
  }

  /// Calls that are made in this vat are not measured.
  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CapnProtoRPC.CallRoute? {
    caller.finish(.failure(.failed("this object is called by a peer")))
    return nil
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CapnProtoRPC.CallRoute? {
    do {
      let results = MessageBuilder(firstSegmentWords: 64)
      try results.build(Message.Builder.self) { root in
        try answer(call, root.initReturn().initResults())
      }
      meter.sample()
      responder.returnResults(results)
    } catch {
      responder.returnError(.failed("\(error)"))
    }
    return nil
  }

  private func answer(_ call: DeliveredCall, _ results: Payload.Builder) throws {
    let params = try call.message.reader.call.params.content
    switch entry {
    // The one capability of the params is returned, so that calls on it go back to the peer.
    case .reflect: results.content.setCapability(try params.capability())
    case .echo: try results.content.set(params)
    case .compare: _ = try params.equality(to: params)
    case .canonicalize: _ = try params.structure().canonicalized()
    default: _ = try params.totalSize()
    }
  }
}

/// A caller that reads the results of its call, and keeps them.
final class CostCaller: Caller {
  private let meter: CostMeter
  private let outcome = Mutex<Outcome?>(nil)

  init(_ meter: CostMeter) { self.meter = meter }

  func finish(_ outcome: consuming Outcome) {
    let outcome = outcome
    if case .success(let message) = outcome {
      _ = try? message.reader.`return`.results.content.totalSize()
    }
    self.outcome.withLock { $0 = outcome }
    meter.sample()
  }
}

/// An observer that makes the text of each message, as a trace does.
final class CostObserver: ConnectionObserver {
  private let meter: CostMeter
  private let lines = Mutex<[String]>([])

  init(_ meter: CostMeter) { self.meter = meter }

  func messagePassed(_ event: MessageEvent) {
    let line = "\(event.message)"
    lines.withLock { $0.append(line) }
    meter.sample()
  }
}
