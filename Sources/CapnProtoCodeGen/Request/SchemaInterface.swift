import CapnProto
import CapnProtoSchema

/// An interface of the schema.
struct SchemaInterface {
  /// In order of their numbers.
  let methods: [Method]
  /// In the order of the source.
  let superclasses: [UInt64]
  let hasGenericSuperclass: Bool

  struct Method {
    let name: String
    let codeOrder: UInt16
    let parameters: UInt64
    let results: UInt64
    /// Whether the method has type parameters, or its parameters or results are bound to some.
    let isGeneric: Bool
    let documentation: String?
  }

  init(_ node: Node.Interface.Reader, _ documentation: [String?]) throws {
    let methods = try node.methods
    self.methods = try methods.indices.map { index in
      let method = methods[index]
      let isGeneric =
        try !method.implicitParameters.isEmpty || method.paramBrand.isBound
        || method.resultBrand.isBound
      return Method(
        name: try method.name.string, codeOrder: method.codeOrder,
        parameters: method.paramStructType, results: method.resultStructType,
        isGeneric: isGeneric, documentation: documentation.at(index))
    }
    superclasses = try node.superclasses.map { $0.id }
    hasGenericSuperclass = try node.superclasses.map { try $0.brand.isBound }.contains(true)
  }
}
