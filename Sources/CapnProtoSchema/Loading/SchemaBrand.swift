import CapnProto

/// What the type parameters of a generic type, and of the types around it, are bound to.
///
/// A parameter that no scope binds is AnyPointer.
public struct SchemaBrand: Hashable, Sendable {
  /// Scopes by the id of the generic type whose parameters they bind.
  public let scopes: [UInt64: Scope]
  /// Types in the bindings, counted as often as they are there.
  let weight: Int

  /// The bindings of one generic type's parameters.
  public enum Scope: Hashable, Sendable {
    /// Types, in the order of the parameters.
    case bind([SchemaType])
    /// As they are where the type is named.
    case inherit
  }

  /// Binds nothing.
  public static let unbound = SchemaBrand(scopes: [:])

  /// The bindings of the scopes.
  public init(scopes: [UInt64: Scope]) {
    self.scopes = scopes
    var weight = 0
    for scope in scopes.values {
      guard case .bind(let types) = scope else { continue }
      for type in types { weight += type.weight }
    }
    self.weight = weight
  }

  /// Reads a brand.
  ///
  /// - Throws: `DecodingError`, or a ``SchemaError/Problem``.
  package init(_ brand: Brand.Reader) throws {
    try self.init(brand, depth: SchemaType.nestingDepth)
  }

  init(_ brand: Brand.Reader, depth: Int) throws {
    guard depth > 0 else { throw SchemaError.Problem.nestedTooDeep }
    var scopes: [UInt64: Scope] = [:]
    try brand.scopes.forEach { scope in
      switch try scope.which {
      case .inherit: scopes[scope.scopeId] = .inherit
      case .bind(let bindings):
        scopes[scope.scopeId] = .bind(
          try bindings.map { binding in
            switch try binding.which {
            case .unbound: .anyPointer(.any)
            case .type(let type): try SchemaType(type, depth: depth)
            case .unknown(let number): throw SchemaError.Problem.unknownKind(number)
            }
          })
      case .unknown(let number): throw SchemaError.Problem.unknownKind(number)
      }
    }
    self.init(scopes: scopes)
    guard weight <= Self.mostWeight else { throw SchemaError.Problem.nestedTooDeep }
  }

  /// The type with its parameters replaced by what this brand binds them to.
  ///
  /// The work is bounded by the type as it is written: what is bound is put in as it is. A generic
  /// type that contains itself with ever larger bindings, as no honest one does, ends unbound.
  func resolve(_ type: SchemaType) -> SchemaType {
    switch type {
    case .list(let element): .list(resolve(element))
    case .structure(let id, let brand): .structure(id, resolve(brand))
    case .interface(let id, let brand): .interface(id, resolve(brand))
    case .parameter(let scope, let index):
      if case .bind(let types) = scopes[scope], Int(index) < types.count {
        types[Int(index)]
      } else {
        .anyPointer(.any)
      }
    case .implicitParameter: .anyPointer(.any)
    default: type
    }
  }

  private func resolve(_ inner: SchemaBrand) -> SchemaBrand {
    if inner.scopes.isEmpty { return inner }
    var resolved: [UInt64: Scope] = [:]
    for (id, scope) in inner.scopes {
      switch scope {
      case .inherit: resolved[id] = scopes[id]
      case .bind(let types): resolved[id] = .bind(types.map(resolve))
      }
    }
    let brand = SchemaBrand(scopes: resolved)
    return brand.weight <= Self.mostWeight ? brand : .unbound
  }

  private static var mostWeight: Int { 1 << 12 }
}

extension SchemaType {
  fileprivate var weight: Int {
    switch self {
    case .list(let element): 1 + element.weight
    case .structure(_, let brand), .interface(_, let brand): 1 + brand.weight
    default: 1
    }
  }
}
