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
