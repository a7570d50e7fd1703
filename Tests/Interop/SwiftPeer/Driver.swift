import CapnProtoNIO
import CapnProtoRPC

/// Something that both sides must agree on.
struct Scenario: Sendable {
  let name: String
  let run: @Sendable (Client) async throws -> Void

  init(_ name: String, _ run: @escaping @Sendable (Client) async throws -> Void) {
    self.name = name
    self.run = run
  }
}

/// Runs all scenarios, or those named, each on a connection of its own. Prints a line for each, and
/// returns the exit status.
func drive(_ address: RPCAddress, names: Set<String>) async -> Int32 {
  var passed = 0
  var failed = 0
  for scenario in scenarios where names.isEmpty || names.contains(scenario.name) {
    do {
      try await run(scenario, address)
      passed += 1
      say("PASS \(scenario.name)")
    } catch {
      failed += 1
      let words = "\(error)".split(separator: "\n").joined(separator: " ")
      say("FAIL \(scenario.name) \(words)")
    }
  }
  say("passed \(passed) failed \(failed)")
  return failed == 0 && passed > 0 ? 0 : 1
}

/// Runs the scenario for fifteen seconds at most.
private func run(_ scenario: Scenario, _ address: RPCAddress) async throws {
  let client = try await Client(address)
  defer { client.connection.close() }
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await scenario.run(client) }
    group.addTask {
      try await Task.sleep(for: .seconds(15))
      throw Failed("no end within 15 s")
    }
    defer { group.cancelAll() }
    try await group.next()
  }
}
