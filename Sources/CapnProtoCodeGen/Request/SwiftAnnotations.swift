import CapnProtoSchema

/// What the annotations of `/capnp/swift.capnp` say of a declaration.
struct SwiftAnnotations {
  /// `$Swift.name`: the name in Swift.
  private(set) var name: String?
  /// `$Swift.module`: the module that holds the bindings of the file.
  private(set) var module: String?
  /// `$Swift.deprecated`: why not to use it any more.
  private(set) var deprecation: String?
  /// `$Swift.value`: whether structs get a plain Swift value.
  private(set) var hasValue = false

  init(_ annotations: [SchemaAnnotation]) {
    for annotation in annotations {
      switch annotation.id {
      case 0xf9db_e2a7_04af_acaf: name = annotation.value.text ?? ""
      case 0xf4cf_96ff_ca0d_1d6f: module = annotation.value.text
      case 0x940a_eb50_d137_479d: deprecation = annotation.value.text ?? ""
      case 0xf955_3187_b2d0_d91f: hasValue = true
      default: break
      }
    }
  }
}
