import CapnProto
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

/// What the type parameters of a named type, and of the scopes around it, are bound to.
enum SchemaBrand: Equatable {
  /// To themselves: the type is named inside its own scope.
  case own
  /// By scope. Parameters of scopes that are not listed are not bound.
  case scopes([UInt64: Binding])

  enum Binding: Equatable {
    /// As where the type is named, which is inside that scope.
    case inherited
    /// In order; nil is not bound.
    case bound([SchemaType?])
  }

  /// No parameter is bound.
  static var unbound: SchemaBrand { .scopes([:]) }

  init(_ brand: Brand.Reader) throws {
    var scopes: [UInt64: Binding] = [:]
    try brand.scopes.forEach { scope in
      switch try scope.which {
      case .inherit: scopes[scope.scopeId] = .inherited
      case .bind(let bindings):
        scopes[scope.scopeId] = .bound(
          try bindings.map { binding in
            if case .type(let type) = try binding.which { try SchemaType(type) } else { nil }
          })
      case .unknown: break
      }
    }
    self = .scopes(scopes)
  }

  /// The type that the parameter is bound to, in words of where the brand stands; nil if to none.
  func binding(of parameter: TypeParameter.ID) -> SchemaType? {
    guard case .scopes(let scopes) = self else { return .parameter(parameter) }
    switch scopes[parameter.scope] {
    case .inherited: return .parameter(parameter)
    case .bound(let types) where types.indices.contains(parameter.index):
      return types[parameter.index]
    default: return nil
    }
  }

  /// The ids of the nodes that parameters are bound to.
  var nodeIDs: [UInt64] {
    guard case .scopes(let scopes) = self else { return [] }
    return scopes.sorted { $0.key < $1.key }.flatMap { _, binding -> [UInt64] in
      guard case .bound(let types) = binding else { return [] }
      return types.compactMap { $0 }.flatMap(\.nodeIDs)
    }
  }
}
