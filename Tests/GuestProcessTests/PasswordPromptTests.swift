import Foundation
import Glibc
import Testing

/// The password prompt on a terminal of its own, under a shell that controls jobs as one that people
/// use does.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PasswordPromptTests {
  /// A pseudo-terminal and what its program has written.
  private final class Terminal {
    private let master: Int32
    private let shell: Process
    private var shown = ""

    init(_ script: String) throws {
      var ends: (master: Int32, slave: Int32) = (-1, -1)
      let made = unsafe openpty(&ends.master, &ends.slave, nil, nil, nil)
      try #require(made == 0)
      master = ends.master
      shell = Process()
      shell.executableURL = URL(filePath: "/usr/bin/env")
      shell.arguments = ["setsid", "--ctty", "--wait", "sh", "-mc", "trap : INT; " + script]
      let slave = FileHandle(fileDescriptor: ends.slave, closeOnDealloc: true)
      shell.standardInput = slave
      shell.standardOutput = slave
      shell.standardError = slave
      shell.environment = ProcessInfo.processInfo.environment
        .filter { $0.key != "REMOTE_SESSION_PASSWORD" }
      try shell.run()
    }

    deinit {
      shell.terminate()
      close(master)
    }

    func type(_ text: String) {
      let bytes = Array(text.utf8)
      _ = unsafe write(master, bytes, bytes.count)
    }

    var text: String {
      var entry = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
      var bytes = [UInt8](repeating: 0, count: 4096)
      while unsafe poll(&entry, 1, 0) > 0 {
        let count = unsafe read(master, &bytes, bytes.count)
        guard count > 0 else { break }
        shown += String(decoding: bytes[..<count], as: UTF8.self)
      }
      return shown
    }

    var hasEcho: Bool {
      var settings = termios()
      _ = unsafe tcgetattr(master, &settings)
      return settings.c_lflag & tcflag_t(ECHO) != 0
    }

    func shows(_ expected: String, times: Int = 1) async -> Bool {
      await until { text.components(separatedBy: expected).count > times }
    }
  }

  /// Nothing listens at the port: what is typed is read before that shows.
  private var command: String {
    "'\(Program.path(of: "remote-session").path)' login --port 9 --timeout 5"
  }

  @Test func aPasswordIsReadWithoutEcho() async throws {
    let terminal = try Terminal("\(command); echo status=$?")
    #expect(await terminal.shows("Password: "))
    #expect(await until { !terminal.hasEcho })
    terminal.type("secret\n")
    #expect(await terminal.shows("status=1"))
    #expect(!terminal.text.contains("secret"))
    #expect(terminal.hasEcho)
  }

  @Test func controlCEndsTheProgram() async throws {
    let terminal = try Terminal("\(command); echo status=$?")
    #expect(await terminal.shows("Password: "))
    terminal.type("sec\u{3}")
    #expect(await terminal.shows("status=130"))
    #expect(terminal.hasEcho)
  }

  @Test func controlZStopsTheProgramAndTheTerminalEchoesMeanwhile() async throws {
    let terminal = try Terminal(
      "\(command); echo stopped=$?; read word; fg; echo status=$?")
    #expect(await terminal.shows("Password: "))
    terminal.type("\u{1a}")
    #expect(await terminal.shows("stopped=148"))
    #expect(await until { terminal.hasEcho })
    terminal.type("\n")
    #expect(await terminal.shows("Password: ", times: 2))
    #expect(await until { !terminal.hasEcho })
    terminal.type("secret\n")
    #expect(await terminal.shows("status=1"))
    #expect(!terminal.text.contains("secret"))
    #expect(terminal.hasEcho)
  }

  @Test(arguments: [SIGTERM, SIGHUP, SIGINT])
  func aSignalFromOutsideLeavesTheTerminalWithEcho(_ signal: Int32) async throws {
    let terminal = try Terminal("\(command) & echo pid=$!; fg; echo status=$?")
    #expect(await terminal.shows("Password: "))
    #expect(await until { !terminal.hasEcho })
    let digits = terminal.text.components(separatedBy: "pid=").last?.prefix { $0.isNumber }
    let process = try #require(digits.flatMap { Int32($0) })
    _ = kill(process, signal)
    #expect(await terminal.shows("status=\(128 + signal)"))
    #expect(terminal.hasEcho)
  }
}
