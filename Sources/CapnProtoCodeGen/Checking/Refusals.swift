import CapnProtoSchema

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
    if let module = request.modules.otherOwner(of: file.id) {
      let id = Literal.hexadecimal(file.id)
      found.append(
        (
          [file.name],
          "its id @\(id) is that of a schema of the module \(module), too: it needs an id of its own, "
            + "which 'capnp id' makes"
        ))
    }
    visit(file.id, [])
    return found
  }

  private mutating func visit(_ id: UInt64, _ path: [String]) {
    guard let node = request.nodes[id] else { return }
    checkName(node.annotations, path)
    if node.isTooGeneric {
      found.append((path, "more than \(SchemaNode.mostParameters) type parameters"))
    }
    switch node.kind {
    case .structure(let structure): visit(structure, of: id, path)
    case .interface(let interface): visit(interface, of: id, path)
    case .constant(let type, _): check(type, path)
    case .enumeration(let enumeration):
      let enumerants = enumeration.enumerants
      for enumerant in enumerants { checkName(enumerant.annotations, path + [enumerant.name]) }
      checkDistinct(enumerants.map { ($0.swiftName, $0.name) }, path)
    case .file, .annotation: break
    }
    // The tree of names has no cycles, whatever the request says.
    for nested in node.nested where names.parents[nested.id] == id {
      visit(nested.id, path + [nested.name])
    }
  }

  private mutating func visit(_ structure: StructNode, of owner: UInt64, _ path: [String]) {
    if request.nodes[owner]?.swift.hasValue == true { checkValue(structure, of: owner, path) }
    checkDistinct(structure.fields.map { ($0.memberName, $0.name) }, path)
    for field in structure.fields {
      checkName(field.annotations, path + [field.name])
      switch field.kind {
      case .slot(let slot): check(slot.type, path + [field.name])
      case .group(let id):
        if names.parents[id] == owner, let group = request.nodes[id]?.structure {
          visit(group, of: id, path + [field.name])
        }
      }
    }
  }

  private mutating func visit(
    _ interface: InterfaceNode, of owner: UInt64, _ path: [String]
  ) {
    for parent in interface.superclasses {
      for id in [parent.id] + parent.brand.nodeIDs { checkModule(of: id, path) }
    }
    let types = TypeReferences(names, request.modules, file: file.id)
    for node in Ancestry(request: request, types: types).conflicts(of: owner) {
      found.append((path, "it extends '\(node.name)' twice, with different type parameters"))
    }
    checkDistinct(interface.methods.map { (SwiftName.method($0.swiftName), $0.name) }, path)
    for method in interface.methods {
      let path = path + [method.name]
      checkName(method.annotations, path)
      for (id, brand) in [
        (method.parameters, method.parameterBrand), (method.results, method.resultBrand),
      ] {
        for id in brand.nodeIDs { checkModule(of: id, path) }
        guard let node = request.nodes[id] else { continue }
        if node.scope == 0, let structure = node.structure {
          checkDistinct(structure.fields.map { ($0.memberName, $0.name) }, path)
          for field in structure.fields {
            checkName(field.annotations, path)
            switch field.kind {
            case .slot(let slot): check(slot.type, path)
            case .group: break
            }
          }
        } else {
          checkModule(of: id, path)
        }
      }
    }
  }

  /// Names that annotations give have to be names in Swift.
  private mutating func checkName(_ annotations: [SchemaAnnotation], _ path: [String]) {
    guard let name = SwiftAnnotations(annotations).name, !SwiftName.isIdentifier(name) else {
      return
    }
    found.append((path, "'\(name)' is no name in Swift, or has an underscore"))
  }

  private mutating func checkDistinct(
    _ members: [(swift: String, schema: String)], _ path: [String]
  ) {
    var taken: [String: String] = [:]
    for member in members {
      if let other = taken[member.swift] {
        let reason = "it has the name '\(member.swift)' in Swift, as '\(other)' has"
        found.append((path + [member.schema], reason))
      }
      taken[member.swift] = member.schema
    }
  }

  /// A struct that shall have a plain value and cannot.
  private mutating func checkValue(
    _ structure: StructNode, of owner: UInt64, _ path: [String]
  ) {
    if names.values.contains(owner) { return }
    if names.parameters[owner] != nil {
      found.append((path, "a generic struct cannot have a plain value"))
      return
    }
    let rule = ValueRule(request, names.parents)
    for field in structure.fields {
      guard let obstacle = rule.obstacle(field, names.values) else { continue }
      found.append(
        (path + [field.name], "'\(path.last ?? "")' cannot have a plain value: \(obstacle)"))
    }
  }

  private mutating func check(_ type: SchemaType, _ path: [String]) {
    for id in type.nodeIDs { checkModule(of: id, path) }
  }

  /// The bindings of each type have to be in a module that is known.
  private mutating func checkModule(of id: UInt64, _ path: [String]) {
    guard let home = names.file(of: id), let node = request.nodes[id] else { return }
    refuseSharedName(with: id, in: home)
    if home == file.id { return }
    let file = node.displayName.split(separator: ":").first ?? ""
    if SchemaModules.isStandard(home), !request.modules.places(home) {
      found.append(
        (
          path,
          "there are no Swift bindings of /\(file), which declares '\(node.name)': a copy of it as "
            + "\(file) in the folder of the target is generated along with its other schemas"
        ))
    } else if !request.modules.knows(home) {
      let reason =
        "no target that this one depends on has \(file), which declares '\(node.name)'; "
        + "a schema that is found elsewhere has to be annotated with its $Swift.module"
      found.append((path, reason))
    }
  }

  /// A file that is not generated along with this one does not know that it shares a name.
  private mutating func refuseSharedName(with id: UInt64, in home: UInt64) {
    guard let name = names.paths[id]?.first, home != file.id,
      !request.files.contains(where: { $0.id == home }),
      request.modules.module(of: home, from: file.id) == nil,
      let own = (names.children[file.id] ?? []).first(where: { names.paths[$0]?.first == name }),
      let path = request.nodes[own]?.name, !found.contains(where: { $0.declaration == [path] })
    else { return }
    let other = request.nodes[id]?.displayName.split(separator: ":").first ?? ""
    found.append(
      (
        [path],
        "\(other) declares the same name, which it imports; generate all files of a module in one "
          + "command, which tells such names apart"
      ))
  }
}
