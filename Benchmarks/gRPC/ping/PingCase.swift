/// What is timed.
enum PingCase {
  case sequential
  case concurrent(depth: Int)
  case echo

  init?(_ name: String) {
    switch name {
    case "ping-sequential": self = .sequential
    case "ping-echo": self = .echo
    default:
      guard name.hasPrefix("ping-"), let depth = Int(name.dropFirst("ping-".count)), depth > 0
      else { return nil }
      self = .concurrent(depth: depth)
    }
  }

  /// Whether writes wait for others to go out with: gRPC does so by default, which helps where many
  /// calls are under way, and delays the only one.
  var isCoalescing: Bool {
    switch self {
    case .sequential, .echo: false
    case .concurrent: true
    }
  }
}
