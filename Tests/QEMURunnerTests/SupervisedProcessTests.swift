import Foundation
import Synchronization
import Testing

@testable import QEMURunner

@Suite struct SupervisedProcessTests {
  @Test(.timeLimit(.minutes(5)))
  func statusAndOutputAndEnvironmentPassThrough() async throws {
    let output = Mutex(Data())
    let process = try await SupervisedProcess.start(
      "sh", arguments: ["-c", "echo out $WORD; echo err >&2; exit 7"],
      environment: ["WORD": "hi"], output: .captured { data in output.withLock { $0 += data } })
    #expect(await process.exitStatus() == 7)
    #expect(String(decoding: output.withLock { $0 }, as: UTF8.self) == "out hi\nerr\n")
  }

  @Test(.timeLimit(.minutes(5)))
  func aSignalIsReportedAsShellsDo() async throws {
    let process = try await SupervisedProcess.start(
      "sleep", arguments: ["60"], output: .captured { _ in })
    process.signal(15)
    #expect(await process.exitStatus() == 128 + 15)
    // Nothing may be sent to whatever has this id next.
    process.signal(9)
    process.send("nobody reads this\n")
  }

  @Test(.timeLimit(.minutes(5)))
  func theLongestLimitIsAsGoodAsNone() async throws {
    let process = try await SupervisedProcess.start(
      "sh", arguments: ["-c", "exit 3"], output: .captured { _ in })
    #expect(await process.ending(within: .seconds(Int64.max)) == .exited(3))
  }

  @Test(.timeLimit(.minutes(5)))
  func aProcessThatTakesTooLongIsEndedEvenIfItDoesNotWantTo() async throws {
    let obedient = try await SupervisedProcess.start(
      "sleep", arguments: ["60"], output: .captured { _ in })
    #expect(await obedient.ending(within: .milliseconds(100)) == .overran)
    #expect(await obedient.exitStatus() == 128 + 15)
    let stubborn = try await SupervisedProcess.start(
      "sh", arguments: ["-c", "trap '' TERM; while :; do sleep 0.1; done"],
      output: .captured { _ in })
    #expect(await stubborn.ending(within: .milliseconds(500)) == .overran)
    #expect(await stubborn.exitStatus() == 128 + 9)
    let quick = try await SupervisedProcess.start(
      "sh", arguments: ["-c", "exit 5"], output: .captured { _ in })
    #expect(await quick.ending(within: .seconds(30)) == .exited(5))
  }

  /// Whether the process is there and more than its status, which nobody may collect.
  private static func isRunning(_ pid: Int32) -> Bool {
    let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    return kill(pid, 0) == 0 && state?.contains(") Z ") != true
  }

  @Test func whatAProcessStartedIsEndedWithIt() async throws {
    let lines = Mutex("")
    let shell = try await SupervisedProcess.start(
      "sh", arguments: ["-c", "sleep 601 & echo $!; wait"],
      output: .captured { data in
        lines.withLock { $0 += String(decoding: data, as: UTF8.self) }
      })
    var child: Int32?
    while child == nil {
      try await Task.sleep(for: .milliseconds(10))
      child = lines.withLock { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    #expect(await shell.ending(within: .milliseconds(1)) == .overran)
    let pid = try #require(child)
    for _ in 0..<300 where Self.isRunning(pid) { try await Task.sleep(for: .milliseconds(10)) }
    #expect(!Self.isRunning(pid))
  }

  @Test func aMissingProgramIsNamed() async {
    await #expect(throws: RunnerError.toolMissing("no-such-program")) {
      try await SupervisedProcess.start("no-such-program", arguments: [], output: .inherited)
    }
  }

  #if os(Linux)
    @Test(.timeLimit(.minutes(5)), .enabled(if: (try? Tool.path(of: "setpriv")) != nil))
    func aChildAsksTheKernelToEndWithItsParent() async throws {
      let output = Mutex(Data())
      let process = try await SupervisedProcess.start(
        "setpriv", arguments: ["--dump"],
        output: .captured { data in output.withLock { $0 += data } })
      #expect(await process.exitStatus() == 0)
      let dump = String(decoding: output.withLock { $0 }, as: UTF8.self)
      #expect(dump.contains("Parent death signal: KILL"), "\(dump)")
    }
  #endif
}
