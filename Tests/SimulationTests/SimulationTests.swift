import CapTP
import CapnProtoTesting
import Testing

// As for the hostile peer, one seed after the other.
@Suite(.serialized) struct SimulationTests {
  @Test(arguments: 0..<200 as Range<UInt64>)
  func `vats keep order, end each call once, and leave nothing behind`(seed: UInt64) {
    let report = Simulation.run(seed: seed)
    if !report.violations.isEmpty {
      let transcript = Simulation.run(seed: seed, traced: true).transcript.joined(separator: "\n")
      Issue.record("seed \(seed) broke rules: \(report.violations)\n\(transcript)")
    }
    #expect(report.calls > 0)
  }

  @Test func `vats keep order while calls are held back`() {
    var setting = Simulation.Setting()
    // One call under way on each connection; all others, and disembargoes among them, wait. Calls that
    // wait for each other then never end: only the order of those that arrive counts.
    setting.limits.wordsInFlight = 1
    let broken = (0..<200 as Range<UInt64>).filter { seed in
      Simulation.run(seed: seed, setting: setting).violations.contains {
        !$0.contains("did not") && !$0.contains("not empty") && !$0.contains("not released")
      }
    }
    #expect(broken == [])
  }

  @Test func `calls that go from vat to vat and back do not wait for themselves`() {
    var setting = Simulation.Setting()
    setting.limits.wordsInFlight = 1
    setting.vats = 2
    // So few that hardly any two calls wait for one another.
    setting.actions = 10
    let broken = (0..<2000 as Range<UInt64>).filter {
      !Simulation.run(seed: $0, setting: setting).violations.isEmpty
    }
    #expect(broken == [])
  }

  @Test func `capabilities arrive with the descriptors of their objects`() {
    let (with, without) = (0..<100 as Range<UInt64>).map { Simulation.run(seed: $0) }
      .reduce(into: (0, 0)) { sums, report in
        if report.seed % 2 == 0 {
          sums.0 += report.descriptors
        } else {
          sums.1 += report.descriptors
        }
      }
    // Objects of the vat itself come with theirs as well.
    #expect(with > without + 500, "\(with) and \(without)")
  }

  @Test func `a seed decides the whole run`() {
    let first = Simulation.run(seed: 7, traced: true)
    #expect(first.transcript.count > 100)
    #expect(Simulation.run(seed: 7, traced: true).transcript == first.transcript)
  }

  @Test func `the observer sees that messages overtake each other`() {
    var setting = Simulation.Setting()
    setting.overtakes = true
    let broken = (0..<20 as Range<UInt64>).filter {
      !Simulation.run(seed: $0, setting: setting).violations.isEmpty
    }
    #expect(broken.count >= 10, "only seeds \(broken) broke a rule")
  }
}
