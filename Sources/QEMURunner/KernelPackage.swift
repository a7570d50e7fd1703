import Foundation

/// An unpacked Debian kernel package.
struct KernelPackage {
  /// The compressed kernel.
  let kernelPath: String
  private let moduleDirectory: String

  /// The modules that give the guest its network, dependencies first. The package has no
  /// `modules.dep`: Debian makes it on installation, and this package is only unpacked.
  static let moduleNames = [
    "drivers/virtio/virtio_ring", "drivers/virtio/virtio", "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci_legacy_dev", "drivers/virtio/virtio_pci", "net/core/failover",
    "drivers/net/net_failover", "drivers/net/virtio_net",
  ]

  /// Finds the newest kernel under the folder into which the package was unpacked.
  init(at root: String) throws(RunnerError) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/boot")) ?? []
    let prefix = "vmlinuz-"
    let versions = names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    guard let version = versions.max(by: { $0.compare($1, options: .numeric) == .orderedAscending })
    else {
      throw .fileMissing("\(root)/boot/vmlinuz-*", hint: "'make setup' downloads the kernel")
    }
    kernelPath = "\(root)/boot/\(prefix)\(version)"
    moduleDirectory = "\(root)/lib/modules/\(version)/kernel"
  }

  /// The contents of each module, in loading order.
  func modules() throws(RunnerError) -> [(name: String, contents: [UInt8])] {
    var modules: [(name: String, contents: [UInt8])] = []
    for name in Self.moduleNames {
      guard let contents = FileManager.default.contents(atPath: "\(moduleDirectory)/\(name).ko")
      else { throw .moduleMissing(name) }
      let fileName = name.split(separator: "/").last.map(String.init) ?? name
      modules.append((name: fileName, contents: Array(contents)))
    }
    return modules
  }
}
