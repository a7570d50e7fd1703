import Foundation

/// The two files that QEMU boots: the uncompressed kernel and the first root directory.
public struct GuestImage: Equatable, Sendable {
  /// The folder that holds both.
  public let directory: String

  /// Names the folder of an image; nothing needs to be in it yet.
  public init(directory: String) {
    self.directory = directory
  }

  /// The uncompressed kernel.
  public var kernelPath: String { "\(directory)/vmlinux" }
  /// The archive that the kernel unpacks as its root directory.
  public var rootPath: String { "\(directory)/guest.cpio" }

  /// Writes both files.
  ///
  /// - Parameters:
  ///   - initPath: The static executable that becomes `/init`, PID 1.
  ///   - manifestPath: The boot manifest that becomes `/etc/boot-manifest.bin`, if there is one.
  ///   - kernelRoot: The folder into which the kernel package was unpacked.
  /// - Throws: `RunnerError`, or Foundation's error if a file cannot be written.
  public func build(initPath: String, manifestPath: String?, kernelRoot: String) async throws {
    let package = try KernelPackage(at: kernelRoot)
    let root = try Self.root(
      initExecutable: Self.contents(initPath, hint: "build the guest's executable first"),
      manifest: manifestPath.map { (path) throws(RunnerError) in
        try Self.contents(path, hint: "compile the boot manifest first")
      },
      modules: package.modules())
    let kernel = try KernelImage(
      Self.contents(package.kernelPath, hint: "run 'make setup'"), path: package.kernelPath)
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    try await kernel.extract(to: kernelPath)
    try Data(root.bytes).write(to: URL(fileURLWithPath: rootPath), options: .atomic)
  }

  /// Fails with a hint unless both files are there.
  func checkPresent() throws(RunnerError) {
    for path in [kernelPath, rootPath] where !FileManager.default.fileExists(atPath: path) {
      throw .fileMissing(path, hint: "build the guest's image first: 'make image'")
    }
  }

  static func root(
    initExecutable: [UInt8], manifest: [UInt8]?, modules: [(name: String, contents: [UInt8])]
  ) throws(RunnerError) -> CPIOArchive {
    var archive = CPIOArchive()
    for directory in ["dev", "proc", "sys", "tmp", "run", "etc"] {
      try archive.addDirectory(directory)
    }
    // The kernel opens it as descriptors 0 to 2 of PID 1, before anything is mounted.
    try archive.addCharacterDevice("dev/console", major: 5, minor: 1)
    try archive.addFile("init", initExecutable, isExecutable: true)
    var list = ""
    for module in modules {
      let path = "lib/modules/\(module.name).ko"
      try archive.addFile(path, module.contents)
      list += "/\(path)\n"
    }
    try archive.addFile("etc/modules.list", Array(list.utf8))
    if let manifest { try archive.addFile("etc/boot-manifest.bin", manifest) }
    try archive.finish()
    return archive
  }

  private static func contents(_ path: String, hint: String) throws(RunnerError) -> [UInt8] {
    guard let contents = FileManager.default.contents(atPath: path) else {
      throw .fileMissing(path, hint: hint)
    }
    return Array(contents)
  }
}
