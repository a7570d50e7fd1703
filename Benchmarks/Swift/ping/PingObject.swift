import CapnProto
import CapnProtoRPC
import Synchronization

/// The object that a ping server offers.
final class PingObject: Ping.Server {
  private let bytes = Mutex<UInt64>(0)

  func ping(_ call: PingCall) async throws {
    let number = try call.params.n
    call.reply { $0.n = number &+ 1 }
  }

  func next(_ call: NextCall) async throws {
    call.reply { $0.ping = .server(PingObject()) }
  }

  func echo(_ call: EchoCall) async throws {
    try call.reply { try $0.setData(call.params.data.bytes) }
  }

  func write(_ call: WriteCall) async throws {
    let count = UInt64(try call.params.data.count)
    bytes.withLock { $0 += count }
  }

  func written(_ call: WrittenCall) async throws {
    let count = bytes.withLock { bytes in
      defer { bytes = 0 }
      return bytes
    }
    call.reply { $0.bytes = count }
  }
}
