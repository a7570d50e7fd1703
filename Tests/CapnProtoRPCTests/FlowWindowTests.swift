import CapTP
import CapnProtoRPC
import Testing

/// The window of a stream, on a clock of the test's own.
@Suite struct FlowWindowTests {
  private static let start = ContinuousClock.now
  private func at(_ milliseconds: Int) -> ContinuousClock.Instant {
    Self.start + .milliseconds(milliseconds)
  }

  private func limits() -> StreamLimits {
    var limits = StreamLimits()
    limits.initialBytes = 1000
    limits.maximumBytes = 16_000
    return limits
  }

  /// Rounds in which a writer fills the window, and all is acknowledged when the time is over.
  private func rounds(
    _ count: Int, _ window: inout FlowWindow, write bytes: Int, time: (Int) -> Int
  ) -> [Int] {
    var now = 0
    return (0..<count).map { _ in
      var writes: [Int] = []
      while window.hasRoom { writes.append(window.send(bytes, at: at(now))) }
      now += time(writes.count * bytes)
      for write in writes { window.acknowledge(write, bytes, at: at(now)) }
      return window.bytes
    }
  }

  @Test func `a window grows while a larger one carries more`() {
    var window = FlowWindow(limits())
    // The path takes 50 ms however much is on it: it is the window that limits the stream.
    let sizes = rounds(8, &window, write: 100) { _ in 50 }
    #expect(sizes == [2000, 4000, 8000, 16_000, 16_000, 16_000, 16_000, 16_000])
  }

  @Test func `a window that has not grown begins with the limits that it is given later`() {
    var window = FlowWindow(StreamLimits())
    window.adopt(limits())
    #expect(window.bytes == 1000)
    _ = rounds(2, &window, write: 100) { _ in 50 }
    #expect(window.bytes == 4000)
    var smaller = limits()
    smaller.maximumBytes = 3000
    window.adopt(smaller)
    #expect(window.bytes == 3000)
    window.adopt(limits())
    #expect(window.bytes == 3000)
  }

  @Test func `a window stays where a larger one would only fill a queue`() {
    var window = FlowWindow(limits())
    // The object takes 100 bytes in each millisecond, and no more.
    let sizes = rounds(8, &window, write: 100) { $0 / 100 }
    #expect(sizes.allSatisfy { $0 == 2000 })
  }

  @Test func `a window stays while no writer waits`() {
    var window = FlowWindow(limits())
    for now in 0..<20 {
      let write = window.send(100, at: at(now * 10))
      window.acknowledge(write, 100, at: at(now * 10 + 1))
    }
    #expect(window.bytes == 1000)
  }

  @Test func `a write that is longer than the window may be followed by another one`() {
    var window = FlowWindow(limits())
    _ = window.send(5000, at: at(0))
    #expect(window.hasRoom)
    _ = window.send(5000, at: at(0))
    #expect(!window.hasRoom)
  }

  @Test func `a window bounds the calls as well as their bytes`() {
    var limits = limits()
    limits.calls = 8
    var window = FlowWindow(limits)
    var writes: [Int] = []
    while window.hasRoom { writes.append(window.send(10, at: at(0))) }
    #expect(writes.count == 8)
    window.acknowledge(writes[0], 10, at: at(1))
    #expect(window.hasRoom)
  }

  @Test func `a window that has grown for a long write bounds the short ones after it`() {
    var limits = limits()
    limits.calls = 8
    var window = FlowWindow(limits)
    let long = window.send(5000, at: at(0))
    window.acknowledge(long, 5000, at: at(1))
    var writes = 0
    while window.hasRoom, writes < 100 {
      _ = window.send(10, at: at(2))
      writes += 1
    }
    #expect(writes == 8)
  }

  @Test func `limits of any size are no trap`() {
    var limits = limits()
    limits.initialBytes = .max
    limits.maximumBytes = .max
    limits.calls = 0
    var window = FlowWindow(limits)
    #expect(window.hasRoom)
    _ = window.send(10, at: at(0))
    #expect(!window.hasRoom)
  }

  @Test func `a round that takes no time is no measure`() {
    var window = FlowWindow(limits())
    let sizes = rounds(3, &window, write: 100) { _ in 0 }
    #expect(sizes.allSatisfy { $0 == 1000 })
  }
}
