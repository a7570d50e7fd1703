import Glibc
import Testing

@testable import GuestInit

@Suite(.timeLimit(.minutes(1))) struct SignalSetTests {
  /// The main thread of this process, like that of every program with an asynchronous `main`, waits
  /// with no signal blocked: without the set, each of the signals would end the process.
  @Test func aSignalToTheProcessIsKeptUntilItIsWaitedFor() {
    let signals = SignalSet([SIGUSR1, SIGUSR2])
    signals.block()
    for number in [SIGUSR1, SIGUSR2, SIGUSR1] {
      #expect(kill(getpid(), number) == 0)
      #expect(signals.wait() == number)
    }
  }
}
