import CapTP
import CapnProto
import CapnProtoRPC

/// An object of a vat whose calls the simulation answers.
final class SimulatedObject: CallTarget {
  let id: Int
  let vat: Int
  /// Of every other object: the number is none that could be open, and says whose it is.
  let attachedDescriptor: OpenDescriptor?
  private let world: SimulatedWorld
  private let stream = StreamPlace()
  var streamWriter: StreamWriter { stream.writer() }

  init(_ id: Int, vat: Int, _ world: SimulatedWorld) {
    self.id = id
    self.vat = vat
    self.world = world
    attachedDescriptor = id % 2 == 0 ? world.makeDescriptor(-1 - id) : nil
    world.objectMade()
  }

  deinit { world.objectGone(id) }

  /// A call of the own vat: in a turn of its own.
  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CapnProtoRPC.CallRoute? {
    let cancellation = CallCancellation()
    do {
      let call = try DeliveredCall(call)
      world.execute(in: vat) {
        self.take(call, CallerResponder(caller: caller), cancellation)
      }
    } catch {
      caller.finish(.failure(.failed("\(error)")))
    }
    return .local(cancellation)
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CapnProtoRPC.CallRoute? {
    let cancellation = CallCancellation()
    take(call, responder, cancellation)
    return .local(cancellation)
  }

  private func take(
    _ call: DeliveredCall, _ responder: any Responder, _ cancellation: CallCancellation
  ) {
    do {
      let body = try call.message.reader.call
      let parameter = try body.params.content.capability() as? any CallTarget
      world.delivered(
        Int(truncatingIfNeeded: body.interfaceId), to: self, parameter, responder, cancellation)
    } catch {
      responder.returnError(.failed("\(error)"))
    }
  }
}
