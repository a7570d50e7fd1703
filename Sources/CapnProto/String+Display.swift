extension String {
  /// The string with every character that could act on a terminal or break a line written as an
  /// escape sequence.
  ///
  /// Text of a peer or of a file belongs into a terminal, a log line or an error message only in
  /// this form: it may hold escape sequences that move the cursor, and line feeds that forge lines
  /// of a log. Escaped are control characters, the separators of lines and paragraphs, and
  /// characters without a shape of their own, such as those that change the direction of text; but
  /// not the joiners, which scripts and emoji need. The form is that of Swift's literals: `\n`,
  /// `\u{1b}`.
  ///
  /// A backslash stays as it is, so that escaping twice is escaping once. The original cannot be
  /// read back from the result.
  ///
  /// - Complexity: O(*n*), without a copy where nothing is escaped.
  public var escapedForDisplay: String {
    guard unicodeScalars.contains(where: \.isEscapedForDisplay) else { return self }
    var escaped = ""
    escaped.reserveCapacity(utf8.count + 16)
    for scalar in unicodeScalars {
      switch scalar {
      case _ where !scalar.isEscapedForDisplay: escaped.unicodeScalars.append(scalar)
      case "\n": escaped += "\\n"
      case "\r": escaped += "\\r"
      case "\t": escaped += "\\t"
      default: escaped += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return escaped
  }
}

extension Unicode.Scalar {
  fileprivate var isEscapedForDisplay: Bool {
    // Most text is ASCII.
    if value < 0x7f { return value < 0x20 }
    switch self {
    // The joiners.
    case "\u{200c}", "\u{200d}": return false
    default: break
    }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
    default: false
    }
  }
}
