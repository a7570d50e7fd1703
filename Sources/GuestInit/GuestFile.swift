import Glibc

/// A file of the guest's image or of a kernel file system.
public enum GuestFile {
  /// Reads a whole file.
  ///
  /// - Parameters:
  ///   - path: The absolute path.
  ///   - limit: The largest size that is accepted, in bytes.
  /// - Returns: The file's bytes.
  /// - Throws: `SystemCallError`; a file over the limit is `EFBIG`.
  public static func read(
    _ path: String, limit: Int = 1 << 20
  ) throws(SystemCallError) -> [UInt8] {
    let descriptor = try SystemCall.openForReading(path)
    defer { _ = close(descriptor) }
    var contents: [UInt8] = []
    while true {
      let chunk = try SystemCall.read(descriptor, upTo: 64 * 1024)
      if chunk.isEmpty { return contents }
      guard contents.count + chunk.count <= limit else {
        throw SystemCallError("read \(path), which may have \(limit) bytes", code: EFBIG)
      }
      contents += chunk
    }
  }
}
