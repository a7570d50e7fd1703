import NIOCore
import Testing

@testable import CapnProtoNIO

struct PollingBudgetTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  @Test func `what is spent in vain is made up for in so many times as long`() {
    var budget = PollingBudget(factor: 32)
    var now = start
    // Tries of 50 µs as soon as they are allowed, for a second.
    var spent = TimeAmount.zero
    while now < start + .seconds(1) {
      guard budget.allowsMore(at: now) else {
        now = now + .microseconds(10)
        continue
      }
      now = now + .microseconds(50)
      budget.spend(.microseconds(50), at: now, isInVain: true)
      spent = spent + .microseconds(50)
    }
    // A thirty-second part of a second, and what is free at first.
    #expect(spent > .milliseconds(33) && spent < .milliseconds(34), "\(spent)")
  }

  @Test func `some tries are free, and are so again after a pause`() {
    var budget = PollingBudget(factor: 32)
    var now = start
    for _ in 0..<3 {
      for _ in 0..<40 {
        #expect(budget.allowsMore(at: now))
        budget.spend(.microseconds(50), at: now, isInVain: true)
      }
      for _ in 0..<20 { budget.spend(.microseconds(50), at: now, isInVain: true) }
      #expect(!budget.allowsMore(at: now))
      now = now + .seconds(1)
    }
  }

  @Test func `an answer costs only what it took longer than to be woken`() {
    var budget = PollingBudget(factor: 32)
    for _ in 0..<1000 { budget.spend(.microseconds(100), at: start, isInVain: false) }
    #expect(budget.allowsMore(at: start))
    // 32 times 50 µs each, of which 64 ms are free.
    for _ in 0..<40 { budget.spend(.microseconds(150), at: start, isInVain: false) }
    #expect(budget.allowsMore(at: start))
    budget.spend(.microseconds(150), at: start, isInVain: false)
    #expect(!budget.allowsMore(at: start))
  }

  @Test func `without a factor nothing has to be made up for`() {
    var budget = PollingBudget(factor: nil)
    budget.spend(.hours(1), at: start, isInVain: true)
    #expect(budget.allowsMore(at: start))
  }
}
