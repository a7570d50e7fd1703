import CapnProtoRPC
import CapnProtoSchema

extension InterfaceNames {
  /// The names of the interfaces of a schema.
  init(_ schema: Schema) {
    self.init()
    for node in schema.nodes.values {
      guard let interface = node.interface else { continue }
      let name = node.displayName.split(separator: "/").last.map(String.init) ?? ""
      add(
        InterfaceDescription(id: node.id, name: name, methods: interface.methods.map(\.name)))
    }
  }
}
