import CapnProto

/// A declaration of a schema that was loaded: file, struct, group, enum, interface, constant or
/// annotation.
public struct SchemaNode: Equatable, Sendable {
  /// The id, which is the node's identity across versions and names.
  public let id: UInt64
  /// The name with file and scopes, for people.
  public let displayName: String
  /// The last part of the name.
  public let name: String
  /// The node that this one is declared in; 0 for files and for parameter and result structs.
  public let scope: UInt64
  /// The names of the type parameters.
  public let parameters: [String]
  /// Whether the node or one around it has type parameters.
  public let isGeneric: Bool
  /// What is declared inside.
  public let nested: [Nested]
  /// The annotations of the node.
  public let annotations: [SchemaAnnotation]
  /// What the node declares.
  public let kind: Kind

  /// A declaration inside another one.
  public struct Nested: Hashable, Sendable {
    /// The name that it was declared with.
    public let name: String
    /// Its node.
    public let id: UInt64
  }

  /// What a node declares.
  public enum Kind: Equatable, Sendable {
    case file
    case structure(StructNode)
    case enumeration(EnumNode)
    case interface(InterfaceNode)
    case constant(type: SchemaType, value: SchemaValue)
    case annotation(type: SchemaType)
  }

  init(_ node: Node.Reader) throws {
    id = node.id
    displayName = try node.displayName.string
    guard id != 0 else { throw SchemaError.Problem.unnamed }
    let prefix = Int(node.displayNamePrefixLength)
    guard prefix <= displayName.utf8.count else { throw SchemaError.Problem.prefixTooLong }
    name = String(decoding: displayName.utf8.dropFirst(prefix), as: UTF8.self)
    scope = node.scopeId
    parameters = try node.parameters.map { try $0.name.string }
    isGeneric = node.isGeneric
    nested = try node.nestedNodes.map { Nested(name: try $0.name.string, id: $0.id) }
    annotations = try SchemaAnnotation.all(node.annotations)
    switch try node.which {
    case .file: kind = .file
    case .struct(let structure): kind = .structure(try StructNode(structure, node: node.id))
    case .enum(let enumeration): kind = .enumeration(try EnumNode(enumeration))
    case .interface(let interface): kind = .interface(try InterfaceNode(interface))
    case .const(let constant):
      let type = try SchemaType(try constant.type)
      let value = try SchemaValue(try constant.value)
      guard value.fits(type) else { throw SchemaError.Problem.valueOfOtherType }
      kind = .constant(type: type, value: value)
    case .annotation(let annotation):
      kind = .annotation(type: try SchemaType(try annotation.type))
    case .unknown(let number): throw SchemaError.Problem.unknownKind(number)
    }
  }

  /// The struct or group; nil where the node is none.
  public var structure: StructNode? {
    if case .structure(let structure) = kind { structure } else { nil }
  }

  /// The enum; nil where the node is none.
  public var enumeration: EnumNode? {
    if case .enumeration(let enumeration) = kind { enumeration } else { nil }
  }

  /// The interface; nil where the node is none.
  public var interface: InterfaceNode? {
    if case .interface(let interface) = kind { interface } else { nil }
  }
}

/// An annotation applied to a node or one of its members.
public struct SchemaAnnotation: Hashable, Sendable {
  /// The id of the annotation's declaration, which need not be loaded.
  public let id: UInt64
  /// Its value.
  public let value: SchemaValue

  static func all(_ list: ListReader<Annotation.Reader>) throws -> [SchemaAnnotation] {
    try list.map { SchemaAnnotation(id: $0.id, value: try SchemaValue(try $0.value)) }
  }

  /// By the id, as values are compared in depth.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// An enum of a schema.
public struct EnumNode: Hashable, Sendable {
  /// In order of their numbers.
  public let enumerants: [Enumerant]
  private let numbers: [String: UInt16]

  /// A member of an enum; its number is its index.
  public struct Enumerant: Hashable, Sendable {
    /// The name.
    public let name: String
    /// The place in the source.
    public let codeOrder: UInt16
    /// The annotations of the enumerant.
    public let annotations: [SchemaAnnotation]
  }

  init(_ node: Node.Enum.Reader) throws {
    enumerants = try node.enumerants.map {
      Enumerant(
        name: try $0.name.string, codeOrder: $0.codeOrder,
        annotations: try SchemaAnnotation.all($0.annotations))
    }
    try enumerants.map(\.name).checkNames()
    try enumerants.map(\.codeOrder).checkCodeOrder()
    numbers = enumerants.map(\.name).numbered()
  }

  /// The number of the enumerant with the name; nil where there is none.
  public func number(of name: String) -> UInt16? { numbers[name] }
}

/// An interface of a schema.
public struct InterfaceNode: Hashable, Sendable {
  /// In order of their numbers.
  public let methods: [Method]
  /// In the order of the source.
  public let superclasses: [Superclass]

  /// A method.
  public struct Method: Hashable, Sendable {
    /// The number.
    public let number: Int
    /// The name.
    public let name: String
    /// The place in the source.
    public let codeOrder: UInt16
    /// The names of the method's own type parameters.
    public let implicitParameters: [String]
    /// The struct of the parameters, and its type parameters.
    public let parameters: UInt64, parameterBrand: SchemaBrand
    /// The struct of the results, and its type parameters.
    public let results: UInt64, resultBrand: SchemaBrand
    /// The annotations of the method.
    public let annotations: [SchemaAnnotation]
  }

  /// An interface that this one extends.
  public struct Superclass: Hashable, Sendable {
    /// Its id.
    public let id: UInt64
    /// What its type parameters are.
    public let brand: SchemaBrand
  }

  init(_ node: Node.Interface.Reader) throws {
    let list = try node.methods
    methods = try list.indices.map { index in
      let method = list[index]
      return Method(
        number: index, name: try method.name.string, codeOrder: method.codeOrder,
        implicitParameters: try method.implicitParameters.map { try $0.name.string },
        parameters: method.paramStructType,
        parameterBrand: try SchemaBrand(try method.paramBrand, depth: SchemaType.nestingDepth),
        results: method.resultStructType,
        resultBrand: try SchemaBrand(try method.resultBrand, depth: SchemaType.nestingDepth),
        annotations: try SchemaAnnotation.all(method.annotations))
    }
    superclasses = try node.superclasses.map {
      Superclass(id: $0.id, brand: try SchemaBrand(try $0.brand, depth: SchemaType.nestingDepth))
    }
    try methods.map(\.name).checkNames()
    try methods.map(\.codeOrder).checkCodeOrder()
  }
}

extension [String] {
  /// The place of each name, the first one where it is there twice.
  func numbered<Number: FixedWidthInteger>() -> [String: Number] {
    Dictionary(enumerated().map { ($1, Number(truncatingIfNeeded: $0)) }) { first, _ in first }
  }

  /// Checks that no name is empty or there twice.
  func checkNames() throws {
    var seen: Set<String> = []
    for name in self {
      guard !name.isEmpty else { throw SchemaError.Problem.unnamed }
      guard seen.insert(name).inserted else { throw SchemaError.Problem.duplicateName(name) }
    }
  }
}

extension [UInt16] {
  /// Checks that the places of members in the source are those from 0 on, in any order.
  func checkCodeOrder() throws {
    var seen = [Bool](repeating: false, count: count)
    for order in self {
      guard order < count, !seen[Int(order)] else {
        throw SchemaError.Problem.invalidCodeOrder(order)
      }
      seen[Int(order)] = true
    }
  }
}
