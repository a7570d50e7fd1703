import CapnProto
import CapnProtoRPC
import Synchronization

/// The object that a ping server offers.
final class PingObject: Ping.ImmediateServer {
  private let bytes = Mutex<UInt64>(0)

  func ping(_ call: PingCall) throws {
    let number = try call.params.n
    call.reply { $0.n = number &+ 1 }
  }

  func next(_ call: NextCall) throws {
    call.reply { $0.ping = .server(PingObject()) }
  }

  func echo(_ call: EchoCall) throws {
    try call.reply { try $0.setData(call.params.data.bytes) }
  }

  func write(_ call: WriteCall) throws {
    let count = UInt64(try call.params.data.count)
    bytes.withLock { $0 += count }
  }

  func written(_ call: WrittenCall) throws {
    let count = bytes.withLock { bytes in
      defer { bytes = 0 }
      return bytes
    }
    call.reply { $0.bytes = count }
  }
}
