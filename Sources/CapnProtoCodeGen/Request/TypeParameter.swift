import CapnProtoSchema

/// A type parameter of a generic declaration.
struct TypeParameter: Hashable {
  let id: ID
  /// Its name in Swift.
  let name: String

  /// The declaration that has the parameter, and the parameter's place there.
  struct ID: Hashable {
    let scope: UInt64
    let index: Int
  }
}

extension SchemaBrand {
  /// The type that the parameter is bound to, in words of where the brand stands.
  func binding(of parameter: TypeParameter.ID) -> SchemaType {
    switch scopes[parameter.scope] {
    case .inherit:
      UInt16(exactly: parameter.index).map { .parameter(scope: parameter.scope, index: $0) }
        ?? .anyPointer(.any)
    case .bind(let types) where types.indices.contains(parameter.index): types[parameter.index]
    default: .anyPointer(.any)
    }
  }

  /// The types that parameters are bound to; a parameter itself where it is passed on.
  var boundTypes: [SchemaType] {
    scopes.sorted { $0.key < $1.key }.flatMap { id, scope -> [SchemaType] in
      switch scope {
      case .bind(let types): types
      case .inherit: [.parameter(scope: id, index: 0)]
      }
    }
  }

  /// The ids of the nodes that parameters are bound to.
  var nodeIDs: [UInt64] { boundTypes.flatMap(\.nodeIDs) }
}

extension SchemaType {
  /// The innermost element type of lists of lists, or the type itself.
  var leaf: SchemaType {
    if case .list(let element) = self { element.leaf } else { self }
  }

  /// The ids of the nodes that the type names: its own or its innermost element's, and those that
  /// its parameters are bound to.
  var nodeIDs: [UInt64] {
    switch leaf {
    case .enumeration(let id): [id]
    case .structure(let id, let brand), .interface(let id, let brand): [id] + brand.nodeIDs
    default: []
    }
  }
}
