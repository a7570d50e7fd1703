/// What is called, and what of the results is wanted: `method(arguments).field.method(arguments)`.
struct CallExpression: Equatable {
  /// One link of the chain.
  enum Step: Equatable {
    /// A method, and its parameters as a struct in text form.
    case method(String, arguments: [UInt8])
    /// A field of the results so far.
    case field(String)
  }
  /// The chain; the first is a method.
  let steps: [Step]

  /// Takes the text apart.
  ///
  /// - Throws: `CommandFailure.usage` that says what was expected, and where.
  init(parsing text: String) throws {
    var source = Source(bytes: Array(text.utf8))
    var steps = [try source.step()]
    while try source.hasMore() { steps.append(try source.step()) }
    guard case .method = steps[0] else {
      throw CommandFailure.usage("'\(text)' has no method to begin with: expected 'name(...)'")
    }
    self.steps = steps
  }

  private struct Source {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
      while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { offset += 1 }
    }

    private func expected(_ what: String) -> CommandFailure {
      .usage(
        "expected \(what) at character \(offset + 1) of '\(String(decoding: bytes, as: UTF8.self))'"
      )
    }

    /// Whether a dot follows, which is passed over; it is that or the end.
    mutating func hasMore() throws -> Bool {
      skipSpace()
      guard let byte = next else { return false }
      guard byte == UInt8(ascii: ".") else { throw expected("'.' or the end") }
      offset += 1
      return true
    }

    mutating func step() throws -> Step {
      skipSpace()
      let start = offset
      while let byte = next, isNamePart(byte) { offset += 1 }
      guard start < offset else { throw expected("a name") }
      let name = String(decoding: bytes[start..<offset], as: UTF8.self)
      skipSpace()
      guard next == UInt8(ascii: "(") else { return .field(name) }
      return .method(name, arguments: try parenthesised())
    }

    private func isNamePart(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }

    /// All up to the parenthesis that closes the one here.
    private mutating func parenthesised() throws -> [UInt8] {
      let start = offset
      var depth = 0
      var isQuoted = false
      while let byte = next {
        offset += 1
        switch byte {
        case UInt8(ascii: "\\") where isQuoted: offset += 1
        case UInt8(ascii: "\""): isQuoted.toggle()
        case UInt8(ascii: "(") where !isQuoted: depth += 1
        case UInt8(ascii: ")") where !isQuoted:
          depth -= 1
          if depth == 0 { return Array(bytes[start..<offset]) }
        default: break
        }
      }
      offset = bytes.count
      throw expected("')'")
    }
  }
}
