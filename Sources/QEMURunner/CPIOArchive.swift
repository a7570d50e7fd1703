/// A cpio archive in the "newc" form, which the Linux kernel unpacks as its first root directory.
///
/// Each entry is a 110-byte header of hexadecimal fields, the name with a NUL, padding to four
/// bytes, the contents, and padding again. Kernel: `early-userspace/buffer-format`.
struct CPIOArchive {
  private(set) var bytes: [UInt8] = []
  private var nextInode: UInt32 = 1
  private var directories: Set<String> = []

  /// Adds a directory, and those above it, unless they are there already.
  mutating func addDirectory(_ path: String) throws(RunnerError) {
    try addParents(of: path)
    guard directories.insert(path).inserted else { return }
    try addEntry(path, mode: 0o040755, contents: [])
  }

  /// Adds a regular file and the directories above it.
  ///
  /// - Throws: `RunnerError.fileTooLarge`.
  mutating func addFile(
    _ path: String, _ contents: [UInt8], isExecutable: Bool = false
  ) throws(RunnerError) {
    try addParents(of: path)
    try addEntry(path, mode: isExecutable ? 0o100755 : 0o100644, contents: contents)
  }

  /// Adds a character device and the directories above it.
  mutating func addCharacterDevice(
    _ path: String, major: UInt32, minor: UInt32
  ) throws(RunnerError) {
    try addParents(of: path)
    try addEntry(path, mode: 0o020600, contents: [], device: (major, minor))
  }

  /// Adds the entry that ends an archive; nothing may follow it.
  mutating func finish() throws(RunnerError) {
    try addEntry("TRAILER!!!", mode: 0, contents: [])
  }

  private mutating func addParents(of path: String) throws(RunnerError) {
    let parts = path.split(separator: "/").dropLast()
    var parent = ""
    for part in parts {
      parent += parent.isEmpty ? String(part) : "/\(part)"
      if directories.insert(parent).inserted {
        try addEntry(parent, mode: 0o040755, contents: [])
      }
    }
  }

  private mutating func addEntry(
    _ name: String, mode: UInt32, contents: [UInt8], device: (UInt32, UInt32) = (0, 0)
  ) throws(RunnerError) {
    // Owner and time are zero, so the same input gives the same bytes.
    let fields: [UInt32] = [
      nextInode, mode, 0, 0, 1, 0, try Self.size(contents.count, of: name), 0, 0, device.0,
      device.1,
      try Self.size(name.utf8.count + 1, of: name), 0,
    ]
    nextInode += 1
    bytes += Array("070701".utf8)
    for field in fields {
      let digits = String(field, radix: 16)
      bytes += Array(repeating: UInt8(ascii: "0"), count: 8 - digits.utf8.count)
      bytes += Array(digits.utf8)
    }
    bytes += Array(name.utf8)
    bytes.append(0)
    pad()
    bytes += contents
    pad()
  }

  /// The size as the header's 32 bits have it.
  static func size(_ bytes: Int, of name: String) throws(RunnerError) -> UInt32 {
    guard let size = UInt32(exactly: bytes) else { throw .fileTooLarge(name, bytes: bytes) }
    return size
  }

  private mutating func pad() {
    while bytes.count % 4 != 0 { bytes.append(0) }
  }
}
