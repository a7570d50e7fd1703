import CapnProto
import CapnProtoRPC

final class PingObject: Ping.Server {
  func ping(_ call: PingCall) async throws {
    let number = try call.params.n
    call.reply { $0.n = number &+ 1 }
  }

  func next(_ call: NextCall) async throws {
    call.reply { $0.ping = .server(PingObject()) }
  }
}
