import Foundation

/// A compressed x86 kernel image, `vmlinuz`.
///
/// QEMU starts the uncompressed kernel inside about a second sooner: unpacking is slow when every
/// instruction is emulated. The setup header says where the payload lies. Kernel:
/// `arch/x86/boot.rst`, protocol 2.08 and later.
struct KernelImage {
  /// The compressed kernel, without the size field at its end.
  let payload: ArraySlice<UInt8>
  /// The uncompressed size, in bytes.
  let uncompressedSize: Int

  /// Finds the payload.
  ///
  /// - Throws: `RunnerError.unusableKernel`, naming `path`.
  init(_ bytes: [UInt8], path: String) throws(RunnerError) {
    func fail(_ reason: String) -> RunnerError { .unusableKernel(path, reason: reason) }
    func field(_ offset: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    guard bytes.count >= 0x250, bytes[0x1fe] == 0x55, bytes[0x1ff] == 0xaa,
      Array(bytes[0x202..<0x206]) == Array("HdrS".utf8)
    else { throw fail("it has no x86 setup header") }
    let version = Int(bytes[0x206]) | Int(bytes[0x207]) << 8
    guard version >= 0x208 else { throw fail("its boot protocol is older than 2.08") }
    let setupSectors = bytes[0x1f1] == 0 ? 4 : Int(bytes[0x1f1])
    let start = (setupSectors + 1) * 512 + field(0x248)
    let length = field(0x24c)
    guard length > 8, start <= bytes.count, length <= bytes.count - start else {
      throw fail("its payload lies outside the file")
    }
    guard Array(bytes[start..<start + 4]) == [0x02, 0x21, 0x4c, 0x18] else {
      throw fail("its payload is not compressed with lz4")
    }
    payload = bytes[start..<start + length - 4]
    uncompressedSize = field(start + length - 4)
  }

  /// Writes the uncompressed kernel to `path`, by way of the `lz4` tool.
  ///
  /// - Throws: `RunnerError` if the tool is missing or fails, or if the result is no ELF file of
  ///   the size that the image states; Foundation's error if a file cannot be written.
  func extract(to path: String) async throws {
    let packed = path + ".lz4"
    let partial = path + ".partial"
    defer {
      try? FileManager.default.removeItem(atPath: packed)
      try? FileManager.default.removeItem(atPath: partial)
    }
    try Data(payload).write(to: URL(fileURLWithPath: packed))
    let lz4 = try await SupervisedProcess.start(
      "lz4", arguments: ["-d", "-f", "-q", packed, partial], output: .inherited)
    let status = await lz4.exitStatus()
    guard status == 0 else { throw RunnerError.toolFailed("lz4", status: status) }
    try checkUncompressed(at: partial)
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: partial, toPath: path)
  }

  private func checkUncompressed(at path: String) throws {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    let magic = try file.read(upToCount: 4)
    let size = try file.seekToEnd()
    guard magic == Data([0x7f, 0x45, 0x4c, 0x46]), size == UInt64(uncompressedSize) else {
      throw RunnerError.unusableKernel(path, reason: "its payload is not an ELF kernel")
    }
  }
}
