import CapnProtoRPC
import RemoteSessionSchema
import Synchronization
import Testing

@Suite struct MembraneTests {
  @Test func callsInProgressFailAndAreCancelledWhenItCloses() async throws {
    let membrane = Membrane()
    let listener = SlowListener(.seconds(20))
    let call = membrane.wrap(ChatListener.Client.server(listener)).line()
    while listener.progress == .waiting { await Task.yield() }
    membrane.revoke(.disconnected("closed"))
    let error = await #expect(throws: RPCError.self) { try await call.finished() }
    #expect(error == .disconnected("closed"))
    while listener.progress != .cancelled { await Task.yield() }
  }

  @Test func aSparedCallReturnsAndLaterOnesFail() async throws {
    let membrane = Membrane()
    let listener = SlowListener(.milliseconds(100))
    let client = membrane.wrap(ChatListener.Client.server(listener))
    let call = client.line()
    while listener.progress == .waiting { await Task.yield() }
    membrane.revoke(.disconnected("closed")) { interface, method in
      interface == ChatListener._interface.id && method == 0
    }
    try await call.finished()
    let error = await #expect(throws: RPCError.self) { try await client.line().finished() }
    #expect(error == .disconnected("closed"))
  }

  @Test func objectsAreLetGoOfWhenItClosesAlthoughWrappersAreHeld() async throws {
    let membrane = Membrane()
    weak var held: SlowListener?
    let client: ChatListener.Client
    do {
      let listener = SlowListener(.zero)
      held = listener
      client = membrane.wrap(.server(listener))
    }
    #expect(held != nil)
    membrane.revoke(.disconnected("closed"))
    #expect(held == nil)
    withExtendedLifetime(client) {}
  }
}

/// Takes its time over each line.
private final class SlowListener: ChatListener.Server {
  enum Progress { case waiting, started, ended, cancelled }
  private let duration: Duration
  private let state = Mutex(Progress.waiting)
  var progress: Progress { state.withLock { $0 } }

  init(_ duration: Duration) { self.duration = duration }

  func line(_ call: ChatListener.LineCall) async throws {
    state.withLock { $0 = .started }
    do {
      try await Task.sleep(for: duration)
      state.withLock { $0 = .ended }
    } catch {
      state.withLock { $0 = .cancelled }
      throw error
    }
  }
}
