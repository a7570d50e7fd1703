import Foundation
import Testing

@testable import QEMURunner

@Suite struct CPIOArchiveTests {
  private struct Entry: Equatable {
    var name: String
    var mode: Int
    var contents: [UInt8]
    var device: [Int]
  }

  /// Reads an archive as the kernel does: by the header's fields alone.
  private func entries(of bytes: [UInt8]) throws -> [Entry] {
    var entries: [Entry] = []
    var offset = 0
    func field(_ index: Int) throws -> Int {
      let start = offset + 6 + index * 8
      return try #require(Int(String(decoding: bytes[start..<start + 8], as: UTF8.self), radix: 16))
    }
    while true {
      try #require(offset + 110 <= bytes.count)
      #expect(String(decoding: bytes[offset..<offset + 6], as: UTF8.self) == "070701")
      #expect(offset % 4 == 0)
      let (mode, size, nameSize) = (try field(1), try field(6), try field(11))
      let device = [try field(9), try field(10)]
      let name = bytes[offset + 110..<offset + 110 + nameSize]
      #expect(name.last == 0)
      offset = (offset + 110 + nameSize + 3) / 4 * 4
      let contents = Array(bytes[offset..<offset + size])
      offset = (offset + size + 3) / 4 * 4
      let text = String(decoding: name.dropLast(), as: UTF8.self)
      if text == "TRAILER!!!" { return entries }
      entries.append(Entry(name: text, mode: mode, contents: contents, device: device))
    }
  }

  @Test(arguments: 0...5)
  func contentsOfEveryLengthKeepTheEntriesAligned(length: Int) throws {
    var archive = CPIOArchive()
    let contents = [UInt8](repeating: 7, count: length)
    try archive.addFile("a", contents)
    try archive.addFile("b", [1], isExecutable: true)
    try archive.finish()
    #expect(
      try entries(of: archive.bytes) == [
        Entry(name: "a", mode: 0o100644, contents: contents, device: [0, 0]),
        Entry(name: "b", mode: 0o100755, contents: [1], device: [0, 0]),
      ])
  }

  @Test func aDirectoryComesOnceAndBeforeWhatIsInIt() throws {
    var archive = CPIOArchive()
    try archive.addFile("lib/modules/x.ko", [])
    try archive.addDirectory("lib")
    try archive.addFile("lib/y", [])
    try archive.finish()
    let names = try entries(of: archive.bytes).map(\.name)
    #expect(names == ["lib", "lib/modules", "lib/modules/x.ko", "lib/y"])
  }

  @Test func theGuestsRootHoldsInitConsoleModulesAndManifest() throws {
    let root = try GuestImage.root(
      initExecutable: [1, 2, 3], manifest: [4],
      modules: [(name: "virtio_ring", contents: [5]), (name: "virtio", contents: [6])])
    let entries = try entries(of: root.bytes)
    func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }
    #expect(entry("init")?.contents == [1, 2, 3])
    #expect(entry("init")?.mode == 0o100755)
    #expect(entry("dev/console")?.mode == 0o020600)
    #expect(entry("dev/console")?.device == [5, 1])
    #expect(entry("etc/boot-manifest.bin")?.contents == [4])
    #expect(entry("lib/modules/virtio.ko")?.contents == [6])
    let list = try #require(entry("etc/modules.list")?.contents)
    #expect(
      String(decoding: list, as: UTF8.self)
        == "/lib/modules/virtio_ring.ko\n/lib/modules/virtio.ko\n")
  }

  @Test func theSameInputGivesTheSameBytes() throws {
    func bytes() throws -> [UInt8] {
      try GuestImage.root(initExecutable: [1], manifest: nil, modules: []).bytes
    }
    #expect(try bytes() == bytes())
  }

  @Test func aSizeThatTheHeaderCannotHoldIsRefused() throws {
    #expect(try CPIOArchive.size(Int(UInt32.max), of: "init") == .max)
    let error = #expect(throws: RunnerError.self) { try CPIOArchive.size(1 << 32, of: "init") }
    #expect(
      error?.description
        == "init has 4294967296 bytes, and a file of a cpio archive has at most 4294967295")
  }
}
