import Foundation
import Glibc
import Synchronization
import Testing

@testable import QEMURunner

/// A shell script stands for QEMU: it gets the same arguments, and its input and output are the
/// serial console.
@Suite struct GuestMachineTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("", to: "vmlinux")
    try folder.write("", to: "guest.cpio")
  }

  private func settings(_ script: String) throws -> GuestMachine.Settings {
    try folder.writeProgram(
      "#!/bin/sh\necho $$ > '\(folder.path("pid"))'\n\(script)\n", to: "qemu")
    var settings = GuestMachine.Settings(image: GuestImage(directory: folder.path("")))
    settings.profile.emulator = folder.path("qemu")
    settings.hostPort = .preferred(0)
    settings.serialLogPath = folder.path("serial.log")
    return settings
  }

  private static let powerOffLine = "[    1.234] init: powering off"
  private static let powerOff = "echo '\(powerOffLine)'"

  private func isRunning() throws -> Bool {
    let text = try String(contentsOfFile: folder.path("pid"), encoding: .utf8)
    let pid = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    return kill(pid, 0) == 0
  }

  @Test(.timeLimit(.minutes(5)))
  func aGuestThatListensIsReadyAndPowersOffWhenAsked() async throws {
    defer { folder.remove() }
    let guest = try await GuestMachine.boot(
      settings(
        "echo booting; echo 'gateway: listening'; read word; echo got $word; \(Self.powerOff)"))
    #expect(guest.hostPort != 0)
    #expect(try isRunning())
    #expect(await guest.stop())
    #expect(try !isRunning())
    #expect(
      guest.serialLog.tail() == [
        "booting", "gateway: listening", "got poweroff", Self.powerOffLine,
      ])
    let file = try String(contentsOfFile: folder.path("serial.log"), encoding: .utf8)
    #expect(file == "booting\ngateway: listening\ngot poweroff\n\(Self.powerOffLine)\n")
  }

  @Test(.timeLimit(.minutes(5)))
  func aGuestThatIgnoresTheRequestIsEnded() async throws {
    defer { folder.remove() }
    var settings = try settings("trap '' TERM; echo listening; while :; do sleep 0.1; done")
    settings.powerOffTimeout = .milliseconds(200)
    let guest = try await GuestMachine.boot(settings)
    #expect(await !guest.stop())
    #expect(try !isRunning())
  }

  @Test(.timeLimit(.minutes(5)))
  func aGuestThatDoesNotListenInTimeIsEndedAndItsConsoleShown() async throws {
    defer { folder.remove() }
    var settings = try settings("echo stuck here; exec sleep 60")
    settings.bootTimeout = .milliseconds(1500)
    let error = await #expect(throws: RunnerError.self) { try await GuestMachine.boot(settings) }
    #expect(error == .guestNotListening(seconds: 1, serialTail: ["stuck here"]))
    #expect(error?.description.contains("| stuck here") == true)
    #expect(try !isRunning())
  }

  @Test(.timeLimit(.minutes(5)))
  func aGuestThatEndsBeforeItListensIsReportedAtOnce() async throws {
    defer { folder.remove() }
    let settings = try settings("echo 'Kernel panic'; exit 3")
    let error = await #expect(throws: RunnerError.self) { try await GuestMachine.boot(settings) }
    #expect(error == .guestEnded(status: 3, serialTail: ["Kernel panic"]))
  }

  @Test(.timeLimit(.minutes(5)))
  func aPortLostToAnotherProgramIsReplacedUnlessItWasNamed() async throws {
    defer { folder.remove() }
    let script = """
      echo x >> '\(folder.path("attempts"))'
      if [ $(wc -l < '\(folder.path("attempts"))') -lt 2 ]; then
        echo 'Could not set up host forwarding rule'; exit 1
      fi
      echo listening; read word; \(Self.powerOff)
      """
    let guest = try await GuestMachine.boot(settings(script))
    #expect(await guest.stop())

    try FileManager.default.removeItem(atPath: folder.path("attempts"))
    var named = try settings(script)
    let port = try HostPort.preferred(0).choose()
    named.hostPort = .exactly(port)
    await #expect(throws: RunnerError.portInUse(port)) { try await GuestMachine.boot(named) }
  }

  @Test(
    .timeLimit(.minutes(5)),
    arguments: [
      "echo '[    2.345678] Kernel panic - not syncing: Out of memory'",
      // A peer's text.
      "echo '[    1.2] audit: login requested=\"] init: powering off\"'", "exit 3",
      "echo '[    1.234] init: powering off'; echo 'Kernel panic - not syncing: Attempted to kill init!'",
    ])
  func aGuestThatEndsWithoutPoweringOffHasCrashed(_ end: String) async throws {
    defer { folder.remove() }
    let guest = try await GuestMachine.boot(settings("echo listening; read word; \(end)"))
    #expect(guest.ending == nil)
    #expect(await !guest.stop())
    #expect(guest.ending == .crashed(status: end == "exit 3" ? 3 : 0))
  }

  @Test(.timeLimit(.minutes(5)))
  func aGuestWhoseConsoleCannotBeWrittenIsEnded() async throws {
    defer { folder.remove() }
    var settings = try settings("echo booting; sleep 60")
    settings.serialLogPath = "/dev/full"
    await #expect(throws: RunnerError.self) { try await GuestMachine.boot(settings) }
    #expect(try !isRunning())

    settings.serialLogPath = nil
    settings.showSerialLine = { _ in throw RunnerError.cannotWrite("x", reason: "full") }
    await #expect(throws: RunnerError.cannotWrite("x", reason: "full")) {
      try await GuestMachine.boot(settings)
    }
    #expect(try !isRunning())
  }

  @Test func aMissingImageOrEmulatorIsNamedWithWhatToDo() async throws {
    defer { folder.remove() }
    var settings = try settings("")
    settings.profile.emulator = "no-such-emulator"
    await #expect(throws: RunnerError.toolMissing("no-such-emulator")) {
      try await GuestMachine.boot(settings)
    }
    settings.image = GuestImage(directory: folder.path("nowhere"))
    let error = await #expect(throws: RunnerError.self) { try await GuestMachine.boot(settings) }
    #expect(error?.description.contains("make image") == true)
  }
}

@Suite struct SerialLogTests {
  @Test func linesAreCutHoweverBytesArriveAndTheMarkIsSeenInACompleteLineOnly() throws {
    let shown = Mutex<[String]>([])
    let log = try SerialLog(mark: "listening") { line in shown.withLock { $0.append(line) } }
    log.append(Data("one\r\ngateway: liste".utf8))
    #expect(log.tail() == ["one", "gateway: liste"])
    log.append(Data("ning".utf8))
    #expect(!log.hasLineWithMark)
    log.append(Data("\n".utf8))
    #expect(log.hasLineWithMark)
    #expect(shown.withLock { $0 } == ["one", "gateway: listening"])
  }

  @Test func aGuestCannotSteerTheTerminal() throws {
    let log = try SerialLog(mark: "x")
    log.append(Data("\u{1b}[2J\u{202e}red\n".utf8))
    #expect(log.tail() == ["?[2J?red"])
  }

  @Test func onlyTheLastLinesAreKept() throws {
    let log = try SerialLog(mark: "line 3")
    for number in 0..<5000 { log.append(Data("line \(number)\n".utf8)) }
    #expect(log.hasLineWithMark)
    #expect(log.tail(2) == ["line 4998", "line 4999"])
    #expect(log.tail(100_000).count <= 400)
  }
}
