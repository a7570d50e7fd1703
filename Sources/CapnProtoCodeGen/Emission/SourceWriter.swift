/// Collects the lines of a source file, indented by two spaces for each block.
final class SourceWriter {
  private var bytes: [UInt8] = []
  private var depth = 0

  /// The lines so far.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Adds a line; an empty one stays empty.
  func line(_ line: String = "") {
    if !line.isEmpty {
      bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
      bytes.append(contentsOf: line.utf8)
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  /// Adds a line, the body's lines one level deeper, and a closing brace.
  func block<Failure>(
    _ head: String, _ body: () throws(Failure) -> Void
  ) throws(Failure) {
    line(head + " {")
    try indented(body)
    line("}")
  }

  /// Adds the body's lines one level deeper.
  func indented<Failure>(_ body: () throws(Failure) -> Void) throws(Failure) {
    depth += 1
    try body()
    depth -= 1
  }

  /// Adds a block of one statement, on the line of its head where it fits.
  func block(_ head: String, _ statement: String) {
    let whole = "\(head) { \(statement) }"
    if depth * 2 + whole.utf8.count <= 100 {
      line(whole)
    } else {
      block(head) { line(statement) }
    }
  }

  /// Adds a block of statements; the last one is returned where it is an expression.
  func function(_ head: String, _ statements: [String], returning value: String? = nil) {
    if let only = statements.first ?? value, statements.count + (value == nil ? 0 : 1) == 1 {
      block(head, only)
    } else {
      block(head) {
        for statement in statements { line(statement) }
        if let value { line("return \(value)") }
      }
    }
  }

  /// Adds a comment of the schema, or the text in its place.
  func documentation(_ comment: String?, otherwise: String? = nil) {
    guard let comment = comment ?? otherwise else { return }
    var lines = comment.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    while lines.last?.isEmpty == true { lines.removeLast() }
    for text in lines { line(text.isEmpty ? "///" : "/// \(text)") }
  }
}
