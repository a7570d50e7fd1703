import CapnProtoRPC
import Foundation
import RemoteSessionClient
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct GuestProcessTests {
  @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
  func aSignalEndsEachSessionWithALineAndEachConnectionWithTheReason(_ signal: Int32) async throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let guest = try await LocalGuest(in: folder)
    let clients = [try await guest.connect(), try await guest.connect()]
    let sessions = [
      try await clients[0].login(.anonymous), try await clients[0].login(.anonymous),
      try await clients[1].login(.anonymous),
    ]
    guest.program.signal(signal)
    for client in clients {
      let error = try await client.connection.closed()
      #expect(error.reason.contains("the guest is shutting down"))
    }
    #expect(await guest.program.status() == 0)
    let lines = guest.program.output.split(separator: "\n")
    #expect(lines.count { $0.contains("outcome=admitted") } == sessions.count)
    #expect(
      lines.count {
        $0.contains("session-end") && $0.contains("reason=\"the guest is shutting down\"")
      }
        == sessions.count)
  }

  @Test func aGuestThatCannotWriteItsLogDoesNotServe() async throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = try Program(
      "guest-init", ["--local", "--port", "0", "--manifest", writeManifest(to: folder)],
      in: folder, output: "/dev/full")
    #expect(await program.status() == 1)
    #expect(program.errors.contains("No space left on device"))
  }

  @Test(arguments: [
    ["login", "--anonymous"], ["list", "--anonymous"],
    ["call", "--anonymous", "systemInfo.motd"], ["interop"], ["interop", "--json"],
  ])
  func aCommandThatCannotWriteFails(_ arguments: [String]) async throws {
    let folder = try temporaryFolder()
    let other = try temporaryFolder()
    defer {
      for folder in [folder, other] { try? FileManager.default.removeItem(at: folder) }
    }
    let guest = try await LocalGuest(in: folder)
    let program = try Program(
      "remote-session", arguments + ["--port", "\(guest.port)"], in: other, output: "/dev/full")
    #expect(await program.status() != 0)
    #expect(program.errors.contains("cannot write to standard output"))
    guest.program.signal(SIGTERM)
    #expect(await guest.program.status() == 0)
  }

  @Test func textOfTheGuestIsEscaped() async throws {
    let folder = try temporaryFolder()
    let other = try temporaryFolder()
    defer {
      for folder in [folder, other] { try? FileManager.default.removeItem(at: folder) }
    }
    let guest = try await LocalGuest(in: folder, motd: "a\n\u{1b}[2Jb\u{202e}")
    let program = try Program(
      "remote-session", ["call", "--anonymous", "systemInfo.motd", "--port", "\(guest.port)"],
      in: other)
    #expect(await program.status() == 0)
    #expect(program.output == "text: a\\n\\u{1b}[2Jb\\u{202e}\n")
    guest.program.signal(SIGTERM)
    #expect(await guest.program.status() == 0)
  }

  @Test(arguments: [
    (
      "remote-session", ["login", "--timeout", "9223372036854775807"],
      "--timeout must be 1 to 86400 s"
    ),
    ("remote-session", ["login", "--timeout", "0"], "--timeout must be 1 to 86400 s"),
    ("remote-session", ["login", "--port", "70000"], "--port must be 1 to 65535"),
    ("qemu-runner", ["run", "--port", "65536"], "--port must be 1 to 65535"),
    ("qemu-runner", ["run", "--guest-port", "0"], "--guest-port must be 1 to 65535"),
    (
      "qemu-runner", ["run", "--memory", "9223372036854775807"],
      "--memory must be 64 to 1048576 MiB"
    ),
    ("qemu-runner", ["run", "--cpus", "256"], "--cpus must be 1 to 255"),
    (
      "qemu-runner", ["run", "--boot-timeout", "9223372036854775807"],
      "--boot-timeout must be 1 to 86400 s"
    ),
    (
      "qemu-runner", ["exec", "--time-limit", "9223372036854775807", "--", "true"],
      "--time-limit must be 1 to 604800 s"
    ),
  ])
  func aNumberOutOfRangeIsAnErrorThatNamesTheLimit(
    _ name: String, _ arguments: [String], _ expected: String
  ) async throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = try Program(name, arguments, in: folder)
    #expect(await program.status() == 64)
    #expect(program.errors.contains(expected), "\(program.errors)")
  }
}
