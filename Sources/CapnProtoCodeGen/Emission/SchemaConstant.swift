import CapnProto
import CapnProtoSchema

extension FileEmitter {
  /// Writes the file's declarations as they are in the schema language, for use at run time.
  func emitSchema(of file: SchemaRequest.RequestedFile) throws {
    let imports = file.imports.filter { request.nodes[$0]?.isFile == true && hasBindings($0) }
    out.line()
    out.line("/// What \(Self.baseName(file)) declares, for use at run time.")
    // With its type written out, as files that import each other refer to each other here.
    out.line("\(access.visible)let \(Self.schemaName(file.id)): SchemaFile = SchemaFile(")
    out.line("  id: \(Literal.hexadecimal(file.id)), name: \(Literal.string(file.name)),")
    let list = imports.map { types.topLevel(Self.schemaName($0), of: $0) }
    out.line("  imports: [\(list.joined(separator: ", "))],")
    out.line("  nodes: \"\"\"")
    var rest = try encodedNodes(of: file.id)[...]
    while !rest.isEmpty {
      let line = String(decoding: rest.prefix(92), as: UTF8.self)
      rest = rest.dropFirst(92)
      // A line that ends with a backslash goes on in the next one.
      out.line("    \(line)\(rest.isEmpty ? "" : "\\")")
    }
    out.line("    \"\"\")")
  }

  /// The name of the constant that holds a file's declarations.
  static func schemaName(_ file: UInt64) -> String { "_schema_\(Hexadecimal.digits(file))" }

  static func baseName(_ file: SchemaRequest.RequestedFile) -> Substring {
    file.name.split(separator: "/").last ?? Substring(file.name)
  }

  /// Files with annotations only, such as c++.capnp, have no bindings unless somebody placed them.
  private func hasBindings(_ file: UInt64) -> Bool {
    // Who uses no type of a file that is there for its annotations need not depend on its module.
    if file == SchemaModules.json, let module = request.modules.module(of: file) {
      return types.usedModules.contains(module)
    }
    return request.modules.places(file)
      || request.modules.knows(file) && !SchemaModules.isStandard(file)
  }

  /// A message whose root is a list of pointers to the nodes of the file, packed, in Base64.
  private func encodedNodes(of file: UInt64) throws -> [UInt8] {
    let nodes = request.encoded.filter { names.file(of: $0.key) == file }.sorted { $0.key < $1.key }
    let message = MessageBuilder(firstSegmentWords: 1024)
    let list = message.root.initList(of: AnyPointerBuilder.self, count: nodes.count)
    for (index, (_, node)) in nodes.enumerated() { try list[index].set(node.reader) }
    return Base64.encode(message.packed())
  }
}
