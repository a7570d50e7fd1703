import CapnProto

/// What the annotations of `capnp/compat/json.capnp` say of a member or type.
struct JSONAnnotations {
  /// Another name.
  var name: String?
  /// The prefix of the names of the fields, where a struct is flattened into its parent.
  var flatten: String?
  /// The union's discriminator, written as a member of its own.
  var discriminator: Discriminator?
  /// How data is written.
  var dataForm = DataForm.array

  struct Discriminator {
    /// The name of the member that says which one is set; nil for that of the union.
    let name: String?
    /// The one name that the values of all members have; nil where each has its own.
    let valueName: String?
  }

  enum DataForm {
    case array, base64, hex
  }

  init(_ annotations: [SchemaAnnotation]) {
    for annotation in annotations {
      switch annotation.id {
      case 0xfa5b_1fd6_1c2e_7c3d: name = annotation.value.text
      case 0x82d3_e852_af03_36bf: flatten = annotation.value.textField(0) ?? ""
      case 0xcfa7_94e8_d19a_0162:
        discriminator = Discriminator(
          name: annotation.value.textField(0), valueName: annotation.value.textField(1))
      case 0xd7d8_7945_0a25_3e4b: dataForm = .base64
      case 0xf061_e22f_0ae5_c7b5: dataForm = .hex
      default: break
      }
    }
  }
}

extension SchemaValue {
  /// The text in the pointer of a struct value; nil where it is null.
  fileprivate func textField(_ index: Int) -> String? {
    guard let target, let structure = try? target.reader.pointer.structure(),
      structure.hasPointer(index)
    else { return nil }
    return try? structure.pointer(index).text().string
  }
}

/// How a struct or group is written in JSON.
struct JSONShape {
  /// In the order of the struct's fields.
  let fields: [Member]
  /// The name of the member that says which field of the union is set; nil where the fields that
  /// are present say so.
  let discriminator: String?
  /// The one name of the values of all members of the union, if they share one.
  let valueName: String?

  struct Member {
    let field: SchemaField
    /// The name, and the word for it in the discriminator.
    let name: String
    let flatten: String?
    let dataForm: JSONAnnotations.DataForm
  }

  /// The shape of a struct; of a group, with the annotations of its field.
  init(_ structure: StructSchema, as field: SchemaField?) {
    let node = structure.schema.nodes[structure.node.id]
    let own = JSONAnnotations(node?.annotations ?? [])
    // Those of a named union are its field's.
    let outer = structure.node.isGroup ? field.map { JSONAnnotations($0.annotations) } : nil
    let options = own.discriminator ?? outer?.discriminator
    // Only a union that is flattened has no other place for its name.
    let unionName = outer?.flatten == nil ? nil : outer?.name ?? field?.name
    discriminator = options.flatMap { $0.name ?? unionName }
    valueName = discriminator == nil ? nil : options?.valueName
    fields = structure.node.fields.map { field in
      let annotations = JSONAnnotations(field.annotations)
      return Member(
        field: field, name: annotations.name ?? field.name, flatten: annotations.flatten,
        dataForm: annotations.dataForm)
    }
  }

  /// The name under which the value of a field is written.
  func valueName(of member: Member) -> String {
    member.field.discriminant == nil ? member.name : valueName ?? member.name
  }
}
