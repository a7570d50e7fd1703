import CapnProto

/// What is done with an input. Each either ends with a typed error or keeps its promise; anything
/// else is a trap.
public enum FuzzTarget: UInt8, CaseIterable, Sendable {
  /// Reads a frame with every accessor.
  case read
  /// Reads frames in chunks, and as a whole.
  case frame
  /// Unpacks in chunks, and as a whole, and packs again.
  case unpack
  /// Brings a frame into canonical form.
  case canonicalize
  /// Copies, and moves the copy's parts about.
  case copy
  /// Builds a message of text, and prints it.
  case text
  /// Builds a message of JSON, and prints it.
  case json
  /// Prints a frame by its schema, in both forms.
  case dynamic
  /// Loads the nodes of a frame, and uses those that are accepted.
  case schema
  /// Has a peer of a vat send what the bytes decide.
  case peer
  /// Has a peer of a vat send the bytes.
  case connection
  /// Measures what a message of up to 1 MiB, made from the bytes, costs a vat.
  case cost

  /// Runs the target that the input's first byte names on the rest, or one of those that are wanted if
  /// it names another.
  public static func run(_ input: [UInt8], among wanted: [FuzzTarget] = allCases) {
    guard let first = input.first, !wanted.isEmpty else { return }
    let named = allCases[Int(first) % allCases.count]
    let target = wanted.contains(named) ? named : wanted[Int(first) % wanted.count]
    target.run(Array(input.dropFirst()))
  }

  func run(_ bytes: [UInt8]) {
    switch self {
    case .read: read(bytes)
    case .frame: decode(bytes)
    case .unpack: unpack(bytes)
    case .canonicalize: canonicalize(bytes)
    case .copy: copy(bytes)
    case .text: text(bytes)
    case .json: json(bytes)
    case .dynamic: dynamic(bytes)
    case .schema: schema(bytes)
    case .peer: converse(bytes)
    case .connection: receive(bytes)
    case .cost: spend(bytes)
    }
  }
}

/// Limits that keep one input short.
let limits = ReaderLimits(traversalWords: 1 << 14, nestingDepth: 32)
/// Limits for what was made of an input within those limits.
let wideLimits = ReaderLimits(traversalWords: 1 << 20, nestingDepth: 64)
let frameLimits = FrameLimits(words: 1 << 12, segments: 16)

/// Ends the run: what was promised does not hold.
func require(_ condition: Bool, _ promise: StaticString) {
  if !condition { fatalError("\(promise)") }
}

/// The message of a frame, or nil where it is none.
func readMessage(_ bytes: [UInt8], _ limits: ReaderLimits = limits) -> MessageReader? {
  do throws(FramingError) {
    return try MessageReader(flat: bytes, frameLimits: frameLimits, limits: limits)
  } catch {
    return nil
  }
}
