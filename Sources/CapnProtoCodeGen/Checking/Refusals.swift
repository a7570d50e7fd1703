/// Something in a schema that cannot be generated.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// The schema file, as the request names it or where it was found.
  public let file: String
  /// The line of the declaration, from 1; nil where the source could not be read.
  public let line: Int?
  /// The declaration, with its scopes.
  public let declaration: String
  /// Why it cannot be generated.
  public let reason: String

  /// `file:line: error: 'declaration': reason`, as editors and build tools expect it.
  public var description: String {
    let place = line.map { "\(file):\($0):1" } ?? file
    return "\(place): error: '\(declaration)': \(reason)"
  }
}

/// Finds what a file declares and this generator cannot express.
struct Refusals {
  private let request: SchemaRequest
  private let names: TypeNames
  private let file: SchemaRequest.RequestedFile
  private var found: [(declaration: [String], reason: String)] = []

  init(_ request: SchemaRequest, _ names: TypeNames, _ file: SchemaRequest.RequestedFile) {
    self.request = request
    self.names = names
    self.file = file
  }

  /// The declarations that are refused, by their path of names in the source, and the reasons.
  mutating func find() -> [(declaration: [String], reason: String)] {
    visit(file.id, [])
    return found
  }

  private mutating func visit(_ id: UInt64, _ path: [String]) {
    guard let node = request.nodes[id] else { return }
    if node.isGeneric {
      found.append((path, SchemaType.generic))
      return
    }
    switch node.body {
    case .structure(let structure): visit(structure, of: id, path)
    case .interface(let interface): visit(interface, path)
    case .constant(let type, _): check(type, path)
    case .unknown(let number):
      found.append((path, "its kind, number \(number), is newer than this generator"))
    case .file, .enumeration, .annotation: break
    }
    // The tree of names has no cycles, whatever the request says.
    for (name, child) in node.nested where names.parents[child] == id {
      visit(child, path + [name])
    }
  }

  private mutating func visit(_ structure: SchemaStruct, of owner: UInt64, _ path: [String]) {
    for field in structure.fields {
      switch field.kind {
      case .slot(let slot): check(slot.type, path + [field.name])
      case .group(let id):
        if names.parents[id] == owner, let group = request.nodes[id]?.structure {
          visit(group, of: id, path + [field.name])
        }
      case .unknown(let number):
        let reason = "its kind, number \(number), is newer than this generator"
        found.append((path + [field.name], reason))
      }
    }
  }

  private mutating func visit(_ interface: SchemaInterface, _ path: [String]) {
    if interface.hasGenericSuperclass { found.append((path, SchemaType.generic)) }
    for parent in interface.superclasses { checkModule(of: parent, path) }
    for method in interface.methods {
      let path = path + [method.name]
      if method.isGeneric {
        found.append((path, "generic methods are not supported yet"))
        continue
      }
      if method.results == Self.streamResult {
        found.append((path, "'-> stream' is not supported yet"))
        continue
      }
      for id in [method.parameters, method.results] {
        guard let node = request.nodes[id] else { continue }
        if node.scopeID == 0, let structure = node.structure {
          for field in structure.fields {
            if case .slot(let slot) = field.kind { check(slot.type, path, in: field.name) }
          }
        } else {
          checkModule(of: id, path)
        }
      }
    }
  }

  private mutating func check(_ type: SchemaType, _ path: [String], in parameter: String? = nil) {
    if case .unsupported(let reason) = type.leaf {
      found.append((path, parameter.map { "parameter '\($0)': \(reason)" } ?? reason))
    }
    if let id = type.nodeID { checkModule(of: id, path) }
  }

  /// Types of the standard schema files have bindings only where a module of ours holds them.
  private mutating func checkModule(of id: UInt64, _ path: [String]) {
    let home = request.file(of: id)
    refuseSharedName(with: id, in: home)
    guard let node = request.nodes[id], node.displayName.hasPrefix("capnp/") else { return }
    if home == file.id || StandardFile.module(ofFile: home) != nil { return }
    let file = node.displayName.split(separator: ":").first ?? ""
    found.append((path, "there are no Swift bindings of /\(file), which declares '\(node.name)'"))
  }

  /// Two files of a target cannot declare types of one name: Swift has no namespace between them.
  private mutating func refuseSharedName(with id: UInt64, in home: UInt64?) {
    guard let name = names.paths[id]?.first, let home, home != file.id,
      StandardFile.module(ofFile: home) == nil,
      let own = (names.children[file.id] ?? []).first(where: { names.paths[$0]?.first == name }),
      let path = request.nodes[own]?.name, !found.contains(where: { $0.declaration == [path] })
    else { return }
    let other = request.nodes[id]?.displayName.split(separator: ":").first ?? ""
    found.append(([path], "\(other) declares the same name, which it imports"))
  }

  /// `StreamResult` of stream.capnp.
  private static let streamResult: UInt64 = 0x995f_9a33_77c0_b16e
}
