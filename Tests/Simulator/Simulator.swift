import ArgumentParser
import CapTP
import CapnProtoTesting

/// Runs the simulation of RPC over many seeds.
@main
struct Simulator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rpc-simulator",
    abstract: "Run vats against each other in random order, and check that the rules of RPC hold.",
    discussion: """
      Each seed is a run of its own. A run that breaks a rule is printed with its transcript, and \
      the exit status is 1.
      """)

  @Option(help: "How many runs.")
  var seeds: UInt64 = 2000
  @Option(help: "The seed of the first run.")
  var first: UInt64 = 0
  @Option(help: "Vats in a run.")
  var vats = 3
  @Option(help: "Things that the applications of a run do.")
  var actions = 120
  @Option(help: "Stop after so many runs that broke a rule.")
  var failures = 3
  @Option(help: "Words of a peer's calls that may be under way on a connection.")
  var words: Int?
  @Flag(help: "One vat against a peer that breaks the protocol.")
  var hostile = false
  @Flag(help: "Print every transcript.")
  var trace = false

  func validate() throws {
    guard vats >= 2 else { throw ValidationError("--vats must be 2 or more") }
    guard actions >= 0, failures >= 1 else {
      throw ValidationError("--actions must be 0 or more, --failures 1 or more")
    }
    guard !first.addingReportingOverflow(seeds).overflow else {
      throw ValidationError("--first and --seeds go past the last seed")
    }
  }

  func run() async throws {
    var setting = Simulation.Setting()
    setting.vats = vats
    setting.actions = actions
    if let words { setting.limits.wordsInFlight = words }
    var failed: [UInt64] = []
    var calls = 0
    var steps = 0
    let batch: UInt64 = 500
    var next = first
    while next < first + seeds, failed.count < failures {
      let end = min(next + batch, first + seeds)
      for report in await Self.reports(next..<end, hostile ? nil : setting) {
        calls += report.calls
        steps += report.steps
        if !report.violations.isEmpty { failed.append(report.seed) }
        // Now, as the run with a transcript may go otherwise: tables are ordered by address.
        for violation in report.violations {
          print("seed \(report.seed) broke a rule: \(violation)")
        }
      }
      next = end
      if (next - first) % (10 * batch) == 0 {
        print("\(next - first) runs, \(calls) calls, \(failed.count) broke a rule")
      }
    }
    for seed in trace ? Array(first..<first + seeds) : Array(failed.prefix(failures)) {
      let report =
        hostile
        ? Simulation.runAgainstHostilePeer(seed: seed, traced: true)
        : Simulation.run(seed: seed, setting: setting, traced: true)
      print("seed \(seed):")
      for line in report.transcript { print("  \(line)") }
      for violation in report.violations { print("seed \(seed) broke a rule: \(violation)") }
    }
    print(
      "\(next - first) runs, \(calls) calls, \(steps) steps: \(failed.count) broke a rule"
        + (failed.isEmpty ? "" : ", seeds \(failed)"))
    if !failed.isEmpty { throw ExitCode.failure }
  }

  /// The runs, on all cores, in the order of their seeds.
  private static func reports(
    _ seeds: Range<UInt64>, _ setting: Simulation.Setting?
  ) async -> [Simulation.Report] {
    await withTaskGroup(of: [Simulation.Report].self) { group in
      let lanes: UInt64 = 4
      for lane in 0..<lanes {
        group.addTask {
          seeds.filter { $0 % lanes == lane }.map { seed in
            if let setting { return Simulation.run(seed: seed, setting: setting) }
            return Simulation.runAgainstHostilePeer(seed: seed)
          }
        }
      }
      return await group.reduce(into: []) { $0 += $1 }.sorted { $0.seed < $1.seed }
    }
  }
}
