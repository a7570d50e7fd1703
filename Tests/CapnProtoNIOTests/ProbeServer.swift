import CapnProto
import CapnProtoRPC
import Synchronization

/// Counts what it is called for, and holds calls back until it is told to let them go.
final class ProbeServer: Probe.Server {
  private struct State {
    var numbers: [UInt64] = []
    var isOpen = false
    var held: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())

  /// What `echo` was called with, in order.
  var numbers: [UInt64] { state.withLock { $0.numbers } }
  /// Calls of `hold` that wait.
  var heldCount: Int { state.withLock { $0.held.count } }

  func echo(_ call: EchoCall) async throws {
    let number = try call.params.number
    state.withLock { $0.numbers.append(number) }
    call.reply { $0.number = number }
  }

  func hold(_ call: HoldCall) async throws {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.held.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
    call.reply { $0.number = 1 }
  }

  func child(_ call: ChildCall) async throws { call.reply { $0.probe = .server(ProbeServer()) } }

  /// Lets the calls of `hold` return, those that wait and all later ones.
  func letGo() {
    let held = state.withLock { state in
      state.isOpen = true
      defer { state.held = [] }
      return state.held
    }
    for continuation in held { continuation.resume() }
  }
}

extension RPCConnection {
  /// Calls the probe at the other end.
  func echo(_ number: UInt64) async throws -> UInt64 {
    try await bootstrap(as: Probe.Client.self).echo { $0.number = number }.results { $0.number }
  }
}
