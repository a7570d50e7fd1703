import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// What tells calls that their time is over.
@Suite(.timeLimit(.minutes(5))) struct CallTimerTests {
  @Test func `calls that end in time leave nothing until their time is over`() {
    let timers = CallTimers()
    let kept = (0..<10).map { _ in timers.start(after: .seconds(3600)) {} }
    for _ in 0..<10_000 { timers.stop(timers.start(after: .seconds(60)) {}) }
    #expect(timers.load.deadlines < 100)
    #expect(timers.load.sleepers <= 2)
    for timer in kept { timers.stop(timer) }
  }

  @Test func `each timer goes off once, whichever was started first`() async {
    let timers = CallTimers()
    let late = timers.start(after: .seconds(3600)) {}
    let fired = Mutex<[Int]>([])
    for time in [90, 30, 60, 0, 30] {
      _ = timers.start(after: .milliseconds(time)) { fired.withLock { $0.append(time) } }
    }
    let stopped = timers.start(after: .milliseconds(45)) { fired.withLock { $0.append(45) } }
    timers.stop(stopped)
    #expect(await eventually { fired.withLock { $0.count } == 5 })
    #expect(fired.withLock { $0 }.sorted() == [0, 30, 30, 60, 90])
    // Those that wake up for others do not add to the one for the last.
    #expect(await eventually { timers.load == (1, 1) })
    timers.stop(late)
  }

  @Test func `sleeps that are cancelled leave nothing until their time is over`() async {
    let timers = CallTimers()
    await withTaskGroup { group in
      for _ in 0..<10_000 {
        group.addTask { try? await timers.sleep(for: .seconds(3600)) }
      }
      group.cancelAll()
    }
    #expect(timers.count == 0)
    #expect(timers.load.deadlines < 100)
    #expect(timers.load.sleepers <= 2)
  }

  @Test func `a sleep ends when its time is over, or throws when it is cancelled`() async throws {
    let timers = CallTimers()
    try await timers.sleep(for: .milliseconds(1))
    let task = Task { try await timers.sleep(for: .seconds(3600)) }
    #expect(await eventually { timers.count == 1 })
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(timers.count == 0)
  }

  @Test func `what a timer holds goes with it`() {
    let timers = CallTimers()
    weak var watched: LiveCount?
    let timer: CallTimers.ID
    do {
      let object = LiveCount()
      watched = object
      timer = timers.start(after: .seconds(3600)) { object.add(1) }
    }
    #expect(watched != nil)
    timers.stop(timer)
    #expect(watched == nil)
  }
}
