/// Spells names of the schema in Swift.
///
/// Names of the schema have no underscores, so that a trailing one keeps a name free of collisions
/// with those that are fixed; `NameTable` settles the rest.
enum SwiftName {
  /// The identifier, in backticks where it is a keyword.
  static func escaped(_ name: String) -> String {
    keywords.contains(name) ? "`\(name)`" : name
  }

  /// The name of a field's property.
  static func member(_ name: String) -> String {
    fixedMembers.contains(name) ? name + "_" : name
  }

  /// The name of a method of an interface, or of a constant.
  static func method(_ name: String) -> String {
    unusable.contains(name) ? name + "_" : name
  }

  /// The name of a case of an enum or union.
  static func enumCase(_ name: String) -> String {
    fixedCases.contains(name) ? name + "_" : name
  }

  /// The name of a property of a plain value, from that of the reader's.
  static func value(_ name: String) -> String {
    ["hash", "hashValue", "write"].contains(name) ? name + "_" : name
  }

  /// What a file's name adds to a name that another file has: `sub_log` for `sub/log.capnp`.
  static func suffix(ofFile name: String) -> String {
    let stem = name.hasSuffix(".capnp") ? name.dropLast(6) : Substring(name)
    return String(stem.map { $0.isLetter || $0.isNumber ? $0 : "_" })
  }

  /// The name with an upper-case first letter.
  static func capitalized(_ name: String) -> String {
    name.prefix(1).uppercased() + name.dropFirst()
  }

  /// Cannot be names of members even in backticks, or cannot be used without them.
  private static let unusable: Set<String> = ["init", "self", "Self", "Type", "Protocol"]

  /// Members that every reader or builder has.
  private static let fixedMembers = unusable.union(["which", "reader", "retained", "totalSize"])

  private static let fixedCases = unusable.union(["unknown", "rawValue", "hash", "hashValue"])

  /// Types that generated code names without their module.
  static let typesInUse: Set<String> = [
    "Bool", "Int", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64",
    "Float", "Double", "String", "Span", "Void", "Sendable", "Self", "Any",
    "StructLayout", "StructReader", "StructBuilder", "TypedStructReader", "TypedStructBuilder",
    "TextReader", "DataReader", "ListReader", "ListBuilder", "TextType", "DataType",
    "AnyPointerReader", "AnyPointerBuilder", "AnyListReader", "AnyListBuilder",
    "VoidValue", "SchemaEnum", "ConstantMessage",
    "DecodingError", "InactiveMemberError", "Capability", "CapabilityClient", "CapabilityServer",
    "InterfaceDescription", "CallContext", "ServerCall", "RemoteCall", "PipelineView",
    "PipelineReference", "NoPipeline", "RPCError",
    "PointerType", "StructType", "ListType", "AnyPointerType", "PointerBuilder", "InterfaceType",
    "PipelinedStructType", "PipelinePointer", "PointerField", "SchemaFile", "DescribedType",
    "StructValue", "Indirect", "Hashable",
  ]

  /// Whether the text can be a name in Swift that makes way for others as those of the schema do.
  static func isIdentifier(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, first.properties.isXIDStart else { return false }
    return text.unicodeScalars.allSatisfy { $0.properties.isXIDContinue && $0 != "_" }
  }

  private static let keywords: Set<String> = [
    "associatedtype", "class", "deinit", "enum", "extension", "fileprivate", "func", "import",
    "init", "inout", "internal", "let", "operator", "private", "precedencegroup",
    "protocol", "public", "rethrows", "static", "struct", "subscript", "typealias", "var",
    "break", "case", "catch", "continue", "default", "defer", "do", "else", "fallthrough", "for",
    "guard", "if", "in", "repeat", "return", "throw", "switch", "where", "while", "Any", "as",
    "await", "false", "is", "nil", "self", "Self", "super", "throws", "true", "try",
  ]
}
