import CapnProto
import CapnProtoSchema

/// An interface of the schema.
struct SchemaInterface {
  /// In order of their numbers.
  let methods: [Method]
  /// In the order of the source.
  let superclasses: [Superclass]

  struct Superclass {
    let id: UInt64
    let brand: SchemaBrand
  }

  struct Method {
    /// Its number.
    let number: Int
    let name: String
    let codeOrder: UInt16
    let annotations: SchemaAnnotations
    /// The names of the method's own type parameters.
    let implicitParameters: [String]
    let parameters: UInt64
    let parametersBrand: SchemaBrand
    let results: UInt64
    let resultsBrand: SchemaBrand
    let documentation: String?

    /// Whether it is declared with `-> stream`: its results are the `StreamResult` of stream.capnp.
    var isStreaming: Bool { results == 0x995f_9a33_77c0_b16e }

    /// The name in Swift, before it makes way for others.
    var swiftName: String { annotations.name ?? name }
  }

  init(_ node: Node.Interface.Reader, _ documentation: [String?]) throws {
    let methods = try node.methods
    self.methods = try methods.indices.map { index in
      let method = methods[index]
      return Method(
        number: index, name: try method.name.string, codeOrder: method.codeOrder,
        annotations: try SchemaAnnotations(try method.annotations),
        implicitParameters: try method.implicitParameters.map { try $0.name.string },
        parameters: method.paramStructType,
        parametersBrand: try SchemaBrand(try method.paramBrand),
        results: method.resultStructType, resultsBrand: try SchemaBrand(try method.resultBrand),
        documentation: documentation.at(index))
    }
    superclasses = try node.superclasses.map {
      Superclass(id: $0.id, brand: try SchemaBrand(try $0.brand))
    }
  }
}
