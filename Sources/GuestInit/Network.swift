import Glibc

/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
  /// The address as a number, most significant octet first.
  public let value: UInt32

  /// An address of four octets.
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    value = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
  }

  /// Parses dotted decimal, `10.0.2.15`; nil if the text is anything else.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      let isPlain = part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard isPlain, part.utf8.count <= 3, let octet = UInt8(part) else { return nil }
      value = value << 8 | UInt32(octet)
    }
    self.value = value
  }

  public var description: String {
    "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
  }
}

/// The guest's one network interface.
public struct Network: Hashable, Sendable {
  /// The interface's name.
  public var interface: String
  /// The guest's address on it.
  public var address: IPv4Address
  /// How many leading bits of the address name the network, 0 to 32.
  public var prefixLength: Int
  /// The router that everything else is sent to; nil adds no default route.
  public var gateway: IPv4Address?

  /// Names an interface and its addresses.
  public init(
    interface: String, address: IPv4Address, prefixLength: Int, gateway: IPv4Address?
  ) {
    self.interface = interface
    self.address = address
    self.prefixLength = prefixLength
    self.gateway = gateway
  }

  /// The addresses that QEMU's user network gives its guest unless told otherwise.
  public static let qemuUser = Network(
    interface: "eth0", address: IPv4Address(10, 0, 2, 15), prefixLength: 24,
    gateway: IPv4Address(10, 0, 2, 2))

  var mask: UInt32 {
    let bits = min(max(prefixLength, 0), 32)
    return bits == 0 ? 0 : ~0 << UInt32(32 - bits)
  }

  /// How long an interface may take to appear once its driver is loaded, in seconds.
  private static let patience = 30.0

  /// Brings up loopback and this interface, and adds the default route.
  func configure() throws(SystemCallError) {
    try SystemCall.bringUp(interface: "lo", address: 0, mask: 0)
    let deadline = SystemCall.uptime() + Self.patience
    while true {
      do throws(SystemCallError) {
        try SystemCall.bringUp(interface: interface, address: address.value, mask: mask)
        break
      } catch {
        guard error.code == ENODEV, SystemCall.uptime() < deadline else { throw error }
        _ = usleep(10_000)
      }
    }
    if let gateway { try SystemCall.addDefaultRoute(via: gateway.value) }
  }
}
