import Foundation
import Testing

@testable import QEMURunner

@Suite struct KernelImageTests {
  private static let lz4Magic: [UInt8] = [0x02, 0x21, 0x4c, 0x18]

  private static func littleEndian(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// An image with one setup sector and the payload 16 bytes into what follows.
  private static func image(
    payload: [UInt8], version: UInt8 = 0x0f, offset: Int = 16, length: Int? = nil
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1024 + 16)
    bytes[0x1f1] = 1
    bytes.replaceSubrange(0x1fe..<0x200, with: [0x55, 0xaa])
    bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
    bytes.replaceSubrange(0x206..<0x208, with: [version, 0x02])
    bytes.replaceSubrange(0x248..<0x24c, with: littleEndian(offset))
    bytes.replaceSubrange(0x24c..<0x250, with: littleEndian(length ?? payload.count))
    return bytes + payload + [0xff, 0xff]
  }

  @Test func thePayloadIsWhereTheSetupHeaderSays() throws {
    let payload = Self.lz4Magic + [9, 8, 7, 6, 5] + Self.littleEndian(4711)
    let kernel = try KernelImage(Self.image(payload: payload), path: "k")
    #expect(Array(kernel.payload) == Self.lz4Magic + [9, 8, 7, 6, 5])
    #expect(kernel.uncompressedSize == 4711)
  }

  enum Flaw: String, CaseIterable {
    case empty, noHeader, oldProtocol, payloadTooLong, payloadOffsetOverflows, payloadTooShort, gzip

    var image: (bytes: [UInt8], reason: String) {
      let payload = KernelImageTests.lz4Magic + [0, 0, 0, 0, 0]
      return switch self {
      case .empty: ([], "setup header")
      case .noHeader: ([UInt8](repeating: 0, count: 5000), "setup header")
      case .oldProtocol: (KernelImageTests.image(payload: payload, version: 7), "older")
      case .payloadTooLong: (KernelImageTests.image(payload: payload, length: 1 << 20), "outside")
      case .payloadOffsetOverflows:
        (KernelImageTests.image(payload: payload, offset: 0xffff_ffff), "outside")
      case .payloadTooShort: (KernelImageTests.image(payload: payload, length: 3), "outside")
      case .gzip: (KernelImageTests.image(payload: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0]), "lz4")
      }
    }
  }

  @Test(arguments: Flaw.allCases)
  func aFileThatIsNoSuchKernelIsRefusedWithTheReason(flaw: Flaw) throws {
    let (bytes, reason) = flaw.image
    let error = #expect(throws: RunnerError.self) { try KernelImage(bytes, path: "boot/k") }
    let text = try #require(error?.description)
    #expect(text.hasPrefix("boot/k is not a kernel image"))
    #expect(text.contains(reason))
  }

  @Test(.enabled(if: (try? Tool.path(of: "lz4")) != nil))
  func theKernelInsideIsWrittenAsItWas() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let elf = Data([0x7f, 0x45, 0x4c, 0x46]) + Data((0..<100_000).map { UInt8($0 % 7) })
    try elf.write(to: URL(fileURLWithPath: folder.path("elf")))
    // -l: the legacy frame, which is what the kernel's build uses.
    let lz4 = try await SupervisedProcess.start(
      "lz4", arguments: ["-l", "-q", "-f", folder.path("elf"), folder.path("packed")],
      output: .inherited)
    #expect(await lz4.exitStatus() == 0)
    let packed = Array(try #require(FileManager.default.contents(atPath: folder.path("packed"))))

    let good = try KernelImage(
      Self.image(payload: packed + Self.littleEndian(elf.count)), path: "k")
    try await good.extract(to: folder.path("vmlinux"))
    #expect(FileManager.default.contents(atPath: folder.path("vmlinux")) == elf)

    let wrongSize = try KernelImage(
      Self.image(payload: packed + Self.littleEndian(elf.count + 1)), path: "k")
    await #expect(throws: RunnerError.self) { try await wrongSize.extract(to: folder.path("no")) }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path("")).sorted()
        == ["elf", "packed", "vmlinux"])
  }
}
