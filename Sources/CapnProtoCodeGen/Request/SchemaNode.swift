import CapnProto
import CapnProtoSchema

/// A declaration of the schema: file, struct, group, enum, interface, constant or annotation.
struct SchemaNode {
  let id: UInt64
  /// The last part of the name, as the schema has it.
  let name: String
  /// The name with file and scopes, for people.
  let displayName: String
  /// The node that this one is declared in; 0 for files and for the structs that stand for
  /// parameters and results.
  let scopeID: UInt64
  /// The names of the declaration's own type parameters.
  let parameters: [String]
  let annotations: SchemaAnnotations
  let nested: [(name: String, id: UInt64)]
  let body: Body
  let documentation: String?
  /// The node as the request has it.
  let encoded: Ref<Node.Reader>

  enum Body {
    case file
    case structure(SchemaStruct)
    case enumeration([Enumerant])
    case interface(SchemaInterface)
    case constant(SchemaType, SchemaValue)
    case annotation
    /// What this generator cannot express, and the reason in words.
    case unsupported(String)
  }

  struct Enumerant {
    let name: String
    let codeOrder: UInt16
    let annotations: SchemaAnnotations
    let documentation: String?

    /// The name in Swift.
    var swiftName: String { SwiftName.enumCase(annotations.name ?? name) }

    /// The name of the case: another one where the name is deprecated, as generated code may not use
    /// that.
    var caseName: String { annotations.deprecation == nil ? swiftName : "_" + swiftName }
  }

  /// Type parameters of a declaration or method that this generator takes.
  private static let mostParameters = 256

  init(_ node: Node.Reader, documentation: String?, members: [String?]) throws {
    id = node.id
    displayName = try node.displayName.string
    name = String(
      decoding: displayName.utf8.dropFirst(Int(node.displayNamePrefixLength)), as: UTF8.self)
    scopeID = node.scopeId
    let parameters = try node.parameters
    // Names make way for one another, which takes time with the square of their number.
    let isTooGeneric = parameters.count > Self.mostParameters
    self.parameters = isTooGeneric ? [] : try parameters.map { try $0.name.string }
    annotations = try SchemaAnnotations(try node.annotations)
    encoded = try node.retained()
    nested = try node.nestedNodes.map { (try $0.name.string, $0.id) }
    self.documentation = documentation
    guard !isTooGeneric else {
      body = .unsupported("more than \(Self.mostParameters) type parameters")
      return
    }
    switch try node.which {
    case .file: body = .file
    case .struct(let structure): body = .structure(try SchemaStruct(structure, members))
    case .enum(let enumeration):
      let enumerants = try enumeration.enumerants
      body = .enumeration(
        try enumerants.indices.map { index in
          let enumerant = enumerants[index]
          return Enumerant(
            name: try enumerant.name.string, codeOrder: enumerant.codeOrder,
            annotations: try SchemaAnnotations(try enumerant.annotations),
            documentation: members.at(index))
        })
    case .interface(let interface)
    where try interface.methods.map({ try $0.implicitParameters.count })
      .contains(where: { $0 > Self.mostParameters }):
      body = .unsupported("a method with more than \(Self.mostParameters) type parameters")
    case .interface(let interface):
      do {
        body = .interface(try SchemaInterface(interface, members))
      } catch let problem as SchemaError.Problem {
        body = .unsupported("its methods: \(problem)")
      }
    case .const(let constant):
      do {
        body = .constant(try SchemaType(try constant.type), try SchemaValue(try constant.value))
      } catch let problem as SchemaError.Problem {
        body = .unsupported("its type: \(problem)")
      }
    case .annotation: body = .annotation
    case .unknown(let number):
      body = .unsupported("its kind, number \(number), is newer than this generator")
    }
  }

  var structure: SchemaStruct? {
    if case .structure(let structure) = body { structure } else { nil }
  }

  var interface: SchemaInterface? {
    if case .interface(let interface) = body { interface } else { nil }
  }

  /// Whether the node is a type that the schema says not to use any more.
  var isDeprecatedType: Bool {
    switch body {
    case .structure, .enumeration, .interface: annotations.deprecation != nil
    default: false
    }
  }

  var isFile: Bool {
    if case .file = body { true } else { false }
  }
}

extension [String?] {
  /// The comment of the member at the index; nil where the request does not have it.
  func at(_ index: Int) -> String? { index < count ? self[index] : nil }
}
