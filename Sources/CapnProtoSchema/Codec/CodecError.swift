/// What is wrong with text or JSON.
public struct CodecError: Error, Hashable, Sendable {
  /// Where it is wrong; nil while a text is written.
  public let location: Location?
  /// What is wrong.
  public let problem: Problem

  init(_ location: Location?, _ problem: Problem) {
    self.location = location
    self.problem = problem
  }

  /// A place in a text.
  public struct Location: Hashable, Sendable {
    /// The line; the first is 1.
    public let line: Int
    /// The byte in the line; the first is 1.
    public let column: Int

    /// The place of a byte in the text.
    init(offset: Int, in text: [UInt8]) {
      let before = text.prefix(offset)
      line = 1 + before.count { $0 == UInt8(ascii: "\n") }
      let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      column = 1 + offset - start
    }
  }

  /// The kinds of mistakes.
  public enum Problem: Error, Hashable, Sendable {
    /// The text ends too early.
    case unexpectedEnd
    /// Something else was expected.
    case unexpected(expected: String)
    /// An escape sequence that is none.
    case invalidEscape
    /// A number that is none, or none that can be had.
    case invalidNumber(String)
    /// A hexadecimal or base64 literal that is none.
    case invalidBytes
    /// More levels than the limit.
    case nestedTooDeep(limit: Int)
    /// More words or bytes than the limit.
    case tooLarge(limit: Int)
    /// A name that the type does not have.
    case unknownName(String, in: String)
    /// The value does not fit the type.
    case value(DynamicError)
    /// A type that the form cannot express.
    case inexpressible(String)
  }
}

extension CodecError: CustomStringConvertible {
  /// The error in words, with line and column.
  public var description: String {
    guard let location else { return "\(problem)" }
    return "\(location.line):\(location.column): \(problem)"
  }
}

extension CodecError.Problem: CustomStringConvertible {
  /// The problem in words.
  public var description: String {
    switch self {
    case .unexpectedEnd: "the text ends too early"
    case .unexpected(let expected): "expected \(expected)"
    case .invalidEscape: "this escape sequence is not known"
    case .invalidNumber(let text): "'\(text)' is no number"
    case .invalidBytes: "these bytes are not written as they should be"
    case .nestedTooDeep(let limit): "more than \(limit) levels"
    case .tooLarge(let limit): "more than the limit of \(limit)"
    case .unknownName(let name, let type): "\(type) has no '\(name)'"
    case .value(let error): "\(error)"
    case .inexpressible(let type): "a value of type \(type) cannot be written here"
    }
  }
}
