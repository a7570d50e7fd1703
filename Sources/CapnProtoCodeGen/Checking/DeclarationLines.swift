/// Finds the lines of declarations in the source of a schema, which the request does not carry.
///
/// It knows as much of the language as that takes: comments, strings, braces, and what a
/// declaration begins with. The schema compiler accepted the source before.
struct DeclarationLines {
  private var lines: [[String]: Int] = [:]

  /// Reads a schema's source.
  init(_ source: String) {
    var scanner = Scanner(source)
    var scopes: [String] = []
    var opening = ""
    var before = ""
    var last = ""
    while let token = scanner.next() {
      let path = scopes.filter { !$0.isEmpty }
      switch token {
      case "{":
        scopes.append(opening)
        opening = ""
      case "}": if !scopes.isEmpty { scopes.removeLast() }
      case ";": opening = ""
      default:
        if Self.keywords.contains(last) {
          record(path + [token], scanner.line)
          if last != "const" && last != "annotation" { opening = token }
        } else if token == "@" || (token == ":" && !last.isEmpty && scanner.depth == 0) {
          // A field, enumerant or method before its number; a group before its colon.
          if !Self.keywords.contains(before) { record(path + [last], scanner.line) }
          if opening.isEmpty, token == ":" { opening = last }
        } else if token == "group" || token == "union", last == ":" {
          opening = before
        }
      }
      before = last
      last = token
    }
  }

  /// The line of the declaration, from 1, or of the innermost scope of it that is found.
  func line(of path: [String]) -> Int? {
    var path = path
    while !path.isEmpty {
      if let line = lines[path] { return line }
      path.removeLast()
    }
    return nil
  }

  private mutating func record(_ path: [String], _ line: Int) {
    if lines[path] == nil { lines[path] = line }
  }

  private static let keywords: Set<String> = [
    "struct", "interface", "enum", "const", "annotation", "using",
  ]
}

extension DeclarationLines {
  /// Cuts a schema's source into names and single characters.
  private struct Scanner {
    private let source: [Character]
    private var index = 0
    /// The line of the last token.
    private(set) var line = 1
    /// Open parentheses and brackets.
    private(set) var depth = 0

    init(_ source: String) { self.source = Array(source) }

    mutating func next() -> String? {
      while index < source.count {
        let character = source[index]
        if character.isNewline {
          line += 1
          index += 1
        } else if character.isWhitespace {
          index += 1
        } else if character == "#" {
          while index < source.count, !source[index].isNewline { index += 1 }
        } else if character == "\"" || character == "`" {
          skipString(character)
        } else if character.isLetter || character == "_" {
          return name()
        } else {
          index += 1
          if character == "(" || character == "[" { depth += 1 }
          if character == ")" || character == "]" { depth -= 1 }
          return String(character)
        }
      }
      return nil
    }

    private mutating func name() -> String {
      let start = index
      while index < source.count, source[index].isLetter || source[index].isNumber {
        index += 1
      }
      if index == start { index += 1 }
      return String(source[start..<index])
    }

    private mutating func skipString(_ quote: Character) {
      index += 1
      while index < source.count, source[index] != quote, !source[index].isNewline {
        index += source[index] == "\\" ? 2 : 1
      }
      index += 1
    }
  }
}
