import CapnProto
import CapnProtoSchema

/// A struct or group of the schema.
struct SchemaStruct {
  let dataWords: UInt16
  let pointers: UInt16
  let isGroup: Bool
  /// Where the discriminant of the unnamed union lies, in units of 16 bits; nil without a union.
  let discriminantOffset: UInt32?
  /// In order of their numbers.
  let fields: [SchemaField]

  init(_ node: Node.Struct.Reader, _ documentation: [String?]) throws {
    dataWords = node.dataWordCount
    pointers = node.pointerCount
    isGroup = node.isGroup
    discriminantOffset = node.discriminantCount == 0 ? nil : node.discriminantOffset
    let fields = try node.fields
    self.fields = try fields.indices.map {
      try SchemaField(fields[$0], documentation: documentation.at($0))
    }
  }

  /// The fields in the order of the source.
  var fieldsInCodeOrder: [SchemaField] { fields.sorted { $0.codeOrder < $1.codeOrder } }

  /// The members of the unnamed union, by discriminant.
  var members: [(discriminant: UInt16, field: SchemaField)] {
    fields.compactMap { field in field.discriminant.map { ($0, field) } }
      .sorted { $0.0 < $1.0 }
  }
}

/// A field of a struct or group.
struct SchemaField {
  let name: String
  let codeOrder: UInt16
  /// The value of the union's discriminant that stands for the field; nil outside the union.
  let discriminant: UInt16?
  let annotations: SchemaAnnotations
  let documentation: String?
  let kind: Kind

  /// The name in Swift, before it makes way for others.
  var swiftName: String { annotations.name ?? name }

  /// The name of the field's property.
  var memberName: String { SwiftName.member(swiftName) }

  enum Kind {
    case slot(Slot)
    case group(UInt64)
    /// What this generator cannot express, and the reason in words.
    case unsupported(String)
  }

  /// A place in a struct: offset in units of the type's own size.
  struct Slot {
    let offset: UInt32
    let type: SchemaType
    let value: SchemaValue
  }

  init(_ field: Field.Reader, documentation: String?) throws {
    name = try field.name.string
    codeOrder = field.codeOrder
    discriminant = field.discriminantValue == 0xffff ? nil : field.discriminantValue
    annotations = try SchemaAnnotations(try field.annotations)
    self.documentation = documentation
    switch try field.which {
    case .slot(let slot):
      do {
        kind = .slot(
          Slot(
            offset: slot.offset, type: try SchemaType(try slot.type),
            value: try SchemaValue(try slot.defaultValue)))
      } catch let problem as SchemaError.Problem {
        kind = .unsupported("its type: \(problem)")
      }
    case .group(let group): kind = .group(group.typeId)
    case .unknown(let number):
      kind = .unsupported("its kind, number \(number), is newer than this generator")
    }
  }
}
