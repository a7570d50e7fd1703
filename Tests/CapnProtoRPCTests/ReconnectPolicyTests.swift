import CapnProtoRPC
import Testing

struct ReconnectPolicyTests {
  @Test func `waits grow to the maximum and no further, however often it failed`() {
    var policy = ReconnectPolicy()
    policy.initialDelay = .milliseconds(10)
    policy.maximumDelay = .seconds(1)
    policy.jitter = 0
    #expect(policy.delay(after: 1, random: 0.5) == .milliseconds(10))
    #expect(policy.delay(after: 2, random: 0.5) == .milliseconds(20))
    #expect(policy.delay(after: 3, random: 0.5) == .milliseconds(40))
    for attempt in [8, 100, 1_000_000, Int.max] {
      #expect(policy.delay(after: attempt, random: 0.5) == .seconds(1))
    }
  }

  @Test func `the random part shortens a wait by no more than the jitter`() {
    var policy = ReconnectPolicy()
    policy.initialDelay = .seconds(8)
    policy.jitter = 0.25
    #expect(policy.delay(after: 1, random: 0) == .seconds(8))
    #expect(policy.delay(after: 1, random: 1) == .seconds(6))
  }

  @Test(arguments: [
    (Duration.seconds(-1), -1.0, -3.0), (.zero, 0, 2), (.seconds(1), .infinity, 5),
    (.seconds(1), 1e300, 0.5),
  ])
  func `absurd settings give waits from zero to the maximum`(
    _ initial: Duration, _ multiplier: Double, _ jitter: Double
  ) {
    var policy = ReconnectPolicy()
    policy.initialDelay = initial
    policy.multiplier = multiplier
    policy.jitter = jitter
    for attempt in [Int.min, 0, 1, 2, 50] {
      for random in [-1.0, 0, 0.3, 1, 7] {
        let delay = policy.delay(after: attempt, random: random)
        #expect(delay >= .zero && delay <= policy.maximumDelay)
      }
    }
  }
}
