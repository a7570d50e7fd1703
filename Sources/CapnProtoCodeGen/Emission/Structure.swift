import CapnProtoSchema

/// A struct or group while it is written.
final class StructureContext {
  let id: UInt64
  let structure: StructNode
  /// The members of the reader and of the builder: fields first, then what belongs to them, in the
  /// order in which it is written.
  private var readerNames: NameTable
  private var builderNames: NameTable

  init(_ node: SchemaNode, _ structure: StructNode) {
    id = node.id
    self.structure = structure
    readerNames = NameTable(Set(structure.fields.map(\.memberName)))
    builderNames = readerNames
  }

  /// The name of the member of a reader that tells whether a field is set.
  func testName(_ field: SchemaField) -> String {
    readerNames.claim("has" + SwiftName.capitalized(field.swiftName))
  }

  /// The name of a method of a builder for a field, such as `initName`.
  func methodName(_ prefix: String, _ field: SchemaField) -> String {
    builderNames.claim(prefix + SwiftName.capitalized(field.swiftName))
  }

  /// The name of the member of a builder that is the field as a place.
  func placeName(_ field: SchemaField) -> String { builderNames.claim(field.swiftName + "Field") }

  /// The place of the union's discriminant and the value that stands for the field; nil for fields
  /// outside the union.
  private func membership(_ field: SchemaField) -> (offset: Int, value: UInt16)? {
    guard let offset = structure.discriminantOffset, let value = field.discriminant else {
      return nil
    }
    return (offset, value)
  }

  /// What follows a pointer's index where the field is a member of the union.
  func member(_ field: SchemaField) -> String {
    membership(field).map { ", discriminant: \($0.offset), is: \($0.value)" } ?? ""
  }

  /// The statement that makes the field the union's member; nil for fields outside the union.
  func select(_ field: SchemaField) -> String? {
    membership(field).map { "_raw.setDiscriminant(\($0.offset), \($0.value))" }
  }

  /// The statement that throws where the field is not the union's member; nil for fields outside the
  /// union.
  func requireMember(_ field: SchemaField) -> String? {
    membership(field).map {
      "try _raw.requireMember(\(Literal.string(field.name)), at: \($0.offset), is: \($0.value))"
    }
  }

  /// The value of a field that is read by copy: of a member of the union that is not set, its default.
  func valueIfMember(
    _ field: SchemaField, _ value: String, otherwise defaultValue: String
  ) -> String {
    isMember(field).map { "\($0) ? \(value) : \(defaultValue)" } ?? value
  }

  /// The condition under which a pointer field is set.
  func isSet(_ field: SchemaField, _ slot: SchemaField.Slot) -> String {
    let present = "_raw.hasPointer(\(slot.offset))"
    return isMember(field).map { "\($0) && \(present)" } ?? present
  }

  /// The condition under which the field is the union's member that is set; nil for fields outside
  /// the union.
  func isMember(_ field: SchemaField) -> String? {
    membership(field).map { "_raw.discriminant(\($0.offset)) == \($0.value)" }
  }
}

extension FileEmitter {
  func emitStructure(_ node: SchemaNode, _ structure: StructNode, name: String) throws {
    let context = StructureContext(node, structure)
    // Groups are no types of the schema, and nothing names the structs of params and results.
    let isNamed = !structure.isGroup && node.scope != 0
    let type = pipelines.hasPipeline(node.id) ? "PipelinedStructType" : "StructType"
    let isGeneric = names.parameters[node.id] != nil
    let conformance = isNamed ? isGeneric ? ": DescribedType" : ": \(type), DescribedType" : ""
    try types.inScope(of: node.id) {
      try out.block("\(access.visible)enum \(SwiftName.escaped(name))\(conformance)") {
        emitIdentity(node, isNamed: isNamed)
        if isNamed, isGeneric {
          out.line()
          emitBoundType(node, type, ["Reader", "Builder"], optional: "Pipeline")
        }
        try emitDefaults(structure)
        out.line()
        emitReader(context, name: name)
        out.line()
        emitBuilder(context, name: name)
        if structure.discriminantOffset != nil {
          out.line()
          emitWhich(context, name: name)
        }
        if pipelines.hasPipeline(node.id) {
          out.line()
          emitPipeline(context, name: name)
        }
        if names.values.contains(node.id) {
          out.line()
          emitValue(context, name: name)
        }
        try emitChildren(of: node)
      }
    }
  }

  /// What tells a type apart at run time.
  func emitIdentity(_ node: SchemaNode, isNamed: Bool = true) {
    out.line("\(access.inlinable)static var _typeID: UInt64 { \(Literal.hexadecimal(node.id)) }")
    guard isNamed else { return }
    out.block("\(access.visible)static var _schemaFile: SchemaFile", Self.schemaName(file.id))
  }

  /// The name of a generic type with its parameters bound.
  func emitBoundType(
    _ node: SchemaNode, _ conformance: String, _ members: [String], optional: String? = nil
  ) {
    out.line("/// The type by name, its type parameters bound.")
    out.block("\(access.visible)enum Of\(types.parameterClause(node.id)): \(conformance)") {
      for member in members + (conformance.hasPrefix("Pipelined") ? [optional ?? ""] : []) {
        out.line("\(access.visible)typealias \(member) = \(types.type(node.id, member))")
      }
    }
  }

  /// What readers and builders have in common.
  func emitHead(raw: String) {
    out.line("\(access.visible)let _raw: \(raw)")
    out.line("@_lifetime(copy raw) @inline(__always)")
    out.line("\(access.inlinable)init(_raw raw: \(raw)) { _raw = raw }")
  }

  /// A property that is a view into the message.
  func emitView(
    _ name: String, _ type: String, _ value: String, isInPlace: Bool = false,
    throwing: Bool = false
  ) {
    out.block(
      "\(access.member(isInPlace: isInPlace))var \(name): \(type)",
      "@_lifetime(copy self) get\(throwing ? " throws(DecodingError)" : "") { \(value) }")
  }

  /// A property of a builder that is a view into the message. To build on a member of a union that is
  /// not set would erase the one that is, so that its property throws.
  func emitBuilderView(
    _ field: SchemaField, _ context: StructureContext, _ type: String, _ value: String,
    isInPlace: Bool = false
  ) {
    let name = SwiftName.escaped(field.memberName)
    guard let requirement = context.requireMember(field) else {
      return emitView(name, type, value, isInPlace: isInPlace)
    }
    out.block("\(access.body)var \(name): \(type)") {
      out.function(
        "@_lifetime(copy self) get throws(InactiveMemberError)", [requirement], returning: value)
    }
  }
}
