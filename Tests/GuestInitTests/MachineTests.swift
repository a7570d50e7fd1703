import Foundation
import Testing

@testable import GuestInit

@Suite struct MachineTests {
  @Test func aProcessThatIsNotInitCannotBringAMachineUp() {
    #expect(throws: Machine.BringUpError.notInit) { try Machine.bringUp() }
  }

  @Test(
    arguments: [
      ("poweroff", .powerOff), ("  poweroff now", .powerOff), ("reboot", .unknown),
      ("poweroffx", .unknown), ("", nil), ("   ", nil),
    ] as [(String, ConsoleCommand?)])
  func theConsoleKnowsOneCommand(line: String, command: ConsoleCommand?) {
    #expect(ConsoleCommand(line: line) == command)
  }

  @Test func consoleInputIsCutIntoLinesHoweverItArrives() {
    var buffer = LineBuffer()
    #expect(buffer.append(Array("pow".utf8)) == [])
    #expect(buffer.append(Array("eroff\r\nx\n".utf8)) == ["poweroff", "", "x"])
  }

  @Test func anOverlongLineIsDroppedAndTheNextOneIsRead() {
    var buffer = LineBuffer()
    #expect(buffer.append(Array(repeating: UInt8(ascii: "x"), count: 100_000)) == [])
    #expect(buffer.append(Array("poweroff\nok\n".utf8)) == ["ok"])
  }

  @Test(
    arguments: [
      (0, .status(0)), (3 << 8, .status(3)), (9, .signal(9)), (0x80 | 11, .signal(11)),
    ] as [(Int32, ProcessExit)])
  func aWaitStatusSaysHowTheProcessEnded(waitStatus: Int32, exit: ProcessExit) {
    #expect(ProcessExit(waitStatus: waitStatus) == exit)
  }
}

@Suite struct GuestFileTests {
  @Test func aFileIsReadWhole() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("guest-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let contents = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0) })
    try contents.write(to: URL(fileURLWithPath: path))
    #expect(try GuestFile.read(path) == Array(contents))
    #expect(throws: SystemCallError.self) { try GuestFile.read(path, limit: 199_999) }
  }

  @Test func aMissingFileIsNamedWithTheReason() {
    let error = #expect(throws: SystemCallError.self) { try GuestFile.read("/no/such/file") }
    #expect(error?.description == "open /no/such/file: No such file or directory (errno 2)")
  }

  @Test func theModuleListGivesAbsolutePathsInOrder() {
    let list = Array("/lib/b.ko\n\n# no path\n/lib/a.ko\n".utf8)
    #expect(KernelModules.paths(inList: list) == ["/lib/b.ko", "/lib/a.ko"])
  }
}
