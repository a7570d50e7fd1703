import Glibc
import Testing

@testable import GuestInit

@Suite struct BootLogTests {
  @Test(arguments: [
    (0.0, "[    0.000] x\n"), (2.3456, "[    2.346] x\n"), (12345.6789, "[12345.679] x\n"),
    (1_234_567.5, "[1234567.500] x\n"), (-1.0, "[    0.000] x\n"),
  ])
  func aLineStartsWithSecondsSinceTheKernelStarted(uptime: Double, expected: String) {
    #expect(BootLog.format("x", uptime: uptime) == expected)
  }

  @Test func aTextCannotForgeALineOrSteerTheTerminal() {
    let line = BootLog.format(
      "guest\n[    1.0] init: forged\r\u{1b}[2J\u{9b}\u{202e}\u{2028}", uptime: 1)
    #expect(line == "[    1.000] guest?[    1.0] init: forged??[2J???\n")
  }

  @Test func aWriteThatTheSystemRefusesIsAnError() throws {
    let full = unsafe open("/dev/full", O_WRONLY)
    try #require(full >= 0)
    defer { _ = close(full) }
    let error = #expect(throws: SystemCallError.self) {
      try SystemCall.write(Array("line\n".utf8), to: full)
    }
    #expect(error?.code == ENOSPC)
  }

  @Test func textBeyondASCIIStaysAsItIs() {
    #expect(BootLog.format("grüße 中", uptime: 0) == "[    0.000] grüße 中\n")
  }
}
