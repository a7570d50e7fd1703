import CapnProto
import CapnProtoSchema

/// What the annotations of `/capnp/swift.capnp` say of a declaration.
struct SchemaAnnotations {
  /// `$Swift.name`: the name in Swift.
  private(set) var name: String?
  /// `$Swift.module`: the module that holds the bindings of the file.
  private(set) var module: String?
  /// `$Swift.deprecated`: why not to use it any more.
  private(set) var deprecation: String?
  /// `$Swift.value`: whether structs get a plain Swift value.
  private(set) var hasValue = false

  init(_ annotations: ListReader<Annotation.Reader>) throws {
    for index in annotations.indices {
      let annotation = annotations[index]
      switch annotation.id {
      case 0xf9db_e2a7_04af_acaf: name = try Self.text(annotation)
      case 0xf4cf_96ff_ca0d_1d6f: module = try Self.text(annotation)
      case 0x940a_eb50_d137_479d: deprecation = try Self.text(annotation)
      case 0xf955_3187_b2d0_d91f: hasValue = true
      default: break
      }
    }
  }

  private static func text(_ annotation: Annotation.Reader) throws -> String? {
    if case .text(let text) = try annotation.value.which { text.string } else { nil }
  }
}
