/// The kernel modules that the image carries, in the order that its list file gives.
///
/// Debian's cloud kernel has its virtio drivers as modules; without them there is no network.
enum KernelModules {
  /// Where the image writer puts the list: one absolute path a line, dependencies first.
  static let listPath = "/etc/modules.list"

  static func paths(inList list: [UInt8]) -> [String] {
    list.split(separator: UInt8(ascii: "\n"))
      .map { String(decoding: $0, as: UTF8.self) }
      .filter { $0.hasPrefix("/") }
  }

  /// Loads every listed module and returns how many there were.
  static func loadAll() throws(SystemCallError) -> Int {
    let paths = paths(inList: try GuestFile.read(listPath))
    for path in paths { try SystemCall.loadModule(at: path) }
    return paths.count
  }
}
