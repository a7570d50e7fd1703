import CapnProtoSchema

extension FileEmitter {
  /// Writes a constant: a `let` for numbers, text and data, a view of a message of its own for
  /// structs and lists.
  func emitConstant(
    _ node: SchemaNode, name: String, _ type: SchemaType, _ value: SchemaValue
  ) throws {
    let level = names.paths[node.id]?.count == 1 ? "" : "static "
    let escaped = SwiftName.escaped(name)
    switch type {
    case .structure, .list, .anyPointer:
      let storage = "_\(name)_\(Hexadecimal.digits(node.id))"
      var words = try value.words()
      if words.isEmpty { words = [0] }
      let list = words.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
      out.line("private \(level)let \(storage) = ConstantMessage(words: [\(list)])")
      out.documentation(request.documentation(of: node))
      emitDeprecation(node.annotations)
      let (member, view) =
        switch type {
        case .structure: ("structure()", types.reader(type))
        case .list: ("list()", types.reader(type))
        default: ("pointer", "AnyPointerReader")
        }
      out.block("\(access.visible)\(level)var \(escaped): \(view)") {
        out.line("@_lifetime(immortal) get { \(storage).\(member) }")
      }
    default:
      out.documentation(request.documentation(of: node))
      emitDeprecation(node.annotations)
      out.line(
        "\(access.visible)\(level)let \(escaped): \(constantType(type)) = \(literal(type, value))")
    }
  }

  private func constantType(_ type: SchemaType) -> String {
    switch type {
    case .text: "String"
    case .data: "[UInt8]"
    default: types.reader(type)
    }
  }

  private func literal(_ type: SchemaType, _ value: SchemaValue) -> String {
    guard case .enumeration(let id) = type else { return value.literal }
    let enumerants = request.nodes[id]?.enumeration?.enumerants ?? []
    return value.bits < UInt64(enumerants.count)
      ? "." + enumerants[Int(value.bits)].caseName : ".unknown(\(value.bits))"
  }
}
