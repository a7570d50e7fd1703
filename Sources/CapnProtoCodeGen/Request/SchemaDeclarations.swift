import CapnProtoSchema

// What the generator asks of the declarations that the loader hands out.

extension SchemaNode {
  /// What the annotations say of the declaration in Swift.
  var swift: SwiftAnnotations { SwiftAnnotations(annotations) }

  var isFile: Bool { kind == .file }

  var isConstant: Bool {
    if case .constant = kind { true } else { false }
  }

  var isAnnotation: Bool {
    if case .annotation = kind { true } else { false }
  }

  /// Whether the node is a type that the schema says not to use any more.
  var isDeprecatedType: Bool {
    switch kind {
    case .structure, .enumeration, .interface: swift.deprecation != nil
    default: false
    }
  }

  /// Type parameters of a declaration or method that this generator takes: names make way for one
  /// another, which takes time with the square of their number.
  static let mostParameters = 256

  /// Whether the declaration, or one of its methods, has more type parameters.
  var isTooGeneric: Bool {
    parameters.count > Self.mostParameters
      || interface?.methods.contains { $0.implicitParameters.count > Self.mostParameters } == true
  }
}

extension StructNode {
  /// The fields in the order of the source.
  var fieldsInCodeOrder: [SchemaField] { fields.sorted { $0.codeOrder < $1.codeOrder } }

  /// The members of the unnamed union, by discriminant.
  var members: [(discriminant: Int, field: SchemaField)] {
    unionMembers.enumerated().map { ($0, fields[$1]) }
  }
}

extension SchemaField {
  /// What the annotations say of the field in Swift.
  var swift: SwiftAnnotations { SwiftAnnotations(annotations) }

  /// The name in Swift, before it makes way for others.
  var swiftName: String { swift.name ?? name }

  /// The name of the field's property.
  var memberName: String { SwiftName.member(swiftName) }

  /// The name of the field's case in `Which`.
  var caseName: String { SwiftName.enumCase(swiftName) }
}

extension EnumNode.Enumerant {
  /// What the annotations say of the enumerant in Swift.
  var swift: SwiftAnnotations { SwiftAnnotations(annotations) }

  /// The name in Swift.
  var swiftName: String { SwiftName.enumCase(swift.name ?? name) }

  /// The name of the case: another one where the name is deprecated, as generated code may not use
  /// that.
  var caseName: String { swift.deprecation == nil ? swiftName : "_" + swiftName }
}

extension InterfaceNode.Method {
  /// Whether it is declared with `-> stream`: its results are the `StreamResult` of stream.capnp.
  var isStreaming: Bool { results == 0x995f_9a33_77c0_b16e }

  /// What the annotations say of the method in Swift.
  var swift: SwiftAnnotations { SwiftAnnotations(annotations) }

  /// The name in Swift, before it makes way for others.
  var swiftName: String { swift.name ?? name }
}
