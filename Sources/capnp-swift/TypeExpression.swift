/// A type as the schema language writes it: `Outer.Inner`, `Map(Text, List(Person)).Entry`.
struct TypeExpression {
  private enum Token: Equatable {
    case name(String)
    case mark(Character)
  }
  /// The expression as it was written.
  let text: String
  private let tokens: [Token]

  /// Takes the text apart.
  ///
  /// - Throws: `CommandFailure.usage` if it has characters that a type does not have, or its
  ///   parentheses do not match.
  init(parsing text: String) throws {
    self.text = text
    let failure = CommandFailure.usage(
      "'\(text)' is not a type: expected a name as Outer.Inner, or a generic type as Box(Text)")
    var tokens: [Token] = []
    var name = ""
    var depth = 0
    func isNamePart(_ character: Character) -> Bool {
      character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }
    for character in text {
      if isNamePart(character) {
        name.append(character)
        continue
      }
      if !name.isEmpty { tokens.append(.name(name)) }
      name = ""
      switch character {
      case " ": continue
      case "(": depth += 1
      case ")": depth -= 1
      case ".": break
      case "," where depth > 0: break
      default: throw failure
      }
      guard depth >= 0 else { throw failure }
      tokens.append(.mark(character))
    }
    if !name.isEmpty { tokens.append(.name(name)) }
    guard depth == 0, !tokens.isEmpty else { throw failure }
    self.tokens = tokens
  }

  /// The expression in another scope, in which the alias is the file that the expression is in the
  /// scope of. The language's own types are the same in both.
  func qualified(by alias: String) -> String {
    var text = ""
    for (index, token) in tokens.enumerated() {
      let previous = index > 0 ? tokens[index - 1] : .mark("(")
      let isFirst = previous == .mark("(") || previous == .mark(",")
      switch token {
      case .name(let name):
        text += isFirst && !Self.builtins.contains(name) ? "\(alias).\(name)" : name
      // A name that begins at the file's scope.
      case .mark(".") where isFirst: text += "\(alias)."
      case .mark(let mark): text.append(mark)
      }
    }
    return text
  }

  private static let builtins: Set<String> = [
    "Void", "Bool", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64",
    "Float32", "Float64", "Text", "Data", "List", "AnyPointer", "AnyStruct", "AnyList",
    "Capability",
  ]
}
