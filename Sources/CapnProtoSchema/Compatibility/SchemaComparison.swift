extension Schema {
  /// What the newer version of this schema changes, by the rules of the schema language ("Evolving
  /// Your Protocol").
  ///
  /// The comparison has a direction: what may be added may not be removed. Declarations are the
  /// same if their ids are.
  ///
  /// - Parameters:
  ///   - newer: the later version.
  ///   - files: the ids of the files to compare, and all that is declared in them; nil for all.
  /// - Returns: the differences, by path.
  public func differences(
    to newer: Schema, files: Set<UInt64>? = nil
  ) -> [SchemaDifference] {
    var comparison = SchemaComparison(old: self, new: newer, files: files)
    return comparison.run()
  }
}

/// Two versions of a schema, side by side.
struct SchemaComparison {
  let old: Schema
  let new: Schema
  /// Nodes of the newer version that stand for nodes of other ids.
  private var successors: Set<UInt64> = []
  /// The nodes that only the newer version has, by path, and by id where paths are the same.
  private let newcomers: [String: SchemaNode]
  /// What is compared of each version.
  private let compared: (old: Set<UInt64>, new: Set<UInt64>)
  /// The type parameters that only the newer version has, and the types that each replaces.
  let newParameters: [SchemaType: Set<SchemaType>]
  var differences: [SchemaDifference] = []

  init(old: Schema, new: Schema, files: Set<UInt64>?) {
    self.old = old
    self.new = new
    compared = (Self.compared(of: old, files), Self.compared(of: new, files))
    newParameters = Self.newParameters(old: old, new: new)
    var newcomers: [String: SchemaNode] = [:]
    for (id, node) in new.nodes where old.nodes[id] == nil && !Self.isGroup(node) {
      let path = Self.path(node, in: new)
      if let other = newcomers[path], other.id < id { continue }
      newcomers[path] = node
    }
    self.newcomers = newcomers
  }

  mutating func run() -> [SchemaDifference] {
    for (id, node) in old.nodes where compared.old.contains(id) && !Self.isGroup(node) {
      if let newNode = new.nodes[id] {
        compare(node, newNode)
      } else {
        missing(node)
      }
    }
    for (id, node) in new.nodes
    where old.nodes[id] == nil && !successors.contains(id) && compared.new.contains(id)
      && !Self.isGroup(node) && node.scope != 0
    {
      add(Self.path(node, in: new), .added, .none)
    }
    differences.sort { ($0.path, "\($0.kind)") < ($1.path, "\($1.kind)") }
    return differences
  }

  mutating func add(
    _ path: String, _ kind: SchemaDifference.Kind, _ effect: SchemaDifference.Effect
  ) {
    differences.append(SchemaDifference(path, kind, effect))
  }

  /// The names of the scopes of the node inside its file, and its own.
  static func path(_ node: SchemaNode, in schema: Schema) -> String {
    // Structs of parameters have no scope, but a display name with all of it.
    guard node.scope != 0 else {
      let name = node.displayName.split(separator: ":", maxSplits: 1).last.map(String.init)
      return node.kind == .file ? node.displayName : name ?? node.displayName
    }
    var names = [node.name]
    var scope = schema.nodes[node.scope]
    while let next = scope, next.kind != .file {
      names.append(next.name)
      scope = schema.nodes[next.scope]
    }
    return names.reversed().joined(separator: ".")
  }

  private static func isGroup(_ node: SchemaNode) -> Bool { node.structure?.isGroup == true }

  /// The nodes that are declared in the files.
  private static func compared(of schema: Schema, _ files: Set<UInt64>?) -> Set<UInt64> {
    guard let files else { return Set(schema.nodes.keys) }
    func isInside(_ node: SchemaNode) -> Bool {
      var next: SchemaNode? = node
      while let node = next {
        if files.contains(node.id) { return true }
        next = schema.nodes[node.scope]
      }
      return false
    }
    var inside: Set<UInt64> = []
    for (id, node) in schema.nodes where node.scope != 0 || node.kind == .file {
      guard isInside(node) else { continue }
      inside.insert(id)
      // The structs of parameters belong to the interfaces of the files.
      for method in node.interface?.methods ?? [] {
        for id in [method.parameters, method.results] where schema.nodes[id]?.scope == 0 {
          inside.insert(id)
        }
      }
    }
    return inside
  }

  private mutating func missing(_ node: SchemaNode) {
    // The structs of parameters are compared with their methods.
    guard node.scope != 0 || node.kind == .file else { return }
    let path = Self.path(node, in: old)
    // One of the same name is the same to its author, but no other program takes it for that.
    if let sameName = newcomers[path] {
      successors.insert(sameName.id)
      add(path, .idChanged(from: node.id, to: sameName.id), .wire)
      compareContent(node, sameName, path)
    } else {
      switch node.kind {
      case .constant, .annotation, .file: add(path, .removed, .source)
      default: add(path, .removed, .wire)
      }
    }
  }

  private mutating func compare(_ node: SchemaNode, _ newNode: SchemaNode) {
    let path = Self.path(node, in: old)
    if node.kind != .file, node.scope != 0 {
      if node.name != newNode.name { add(path, .renamed(to: newNode.name), .source) }
      if node.scope != newNode.scope {
        let scope = new.nodes[newNode.scope].map { Self.path($0, in: new) }
        add(path, .movedToScope(scope ?? new.displayName(newNode.scope)), .source)
      }
    }
    compareContent(node, newNode, path)
  }

  private mutating func compareContent(_ node: SchemaNode, _ newNode: SchemaNode, _ path: String) {
    // A type that was not generic may become so, and a generic one may have more parameters: those
    // that nobody binds are AnyPointer. Source has to name them.
    for name in newNode.parameters.dropFirst(node.parameters.count) {
      add(path, .parameterAdded(name), .source)
    }
    for name in node.parameters.dropFirst(newNode.parameters.count) {
      add(path, .parameterRemoved(name), .wire)
    }
    switch (node.kind, newNode.kind) {
    case (.file, .file): break
    case (.structure(let node), .structure(let newNode)): compare(node, newNode, path)
    case (.enumeration(let node), .enumeration(let newNode)): compare(node, newNode, path)
    case (.interface(let node), .interface(let newNode)): compare(node, newNode, path)
    case (.constant(let type, let value), .constant(let newType, let newValue)):
      if let change = compareTypes(type, newType) {
        add(path, change.kind, .source)
      } else if !value.isRead(of: newValue, as: type, in: old) {
        add(path, .valueChanged, .none)
      }
    case (.annotation(let type), .annotation(let newType)):
      if let change = compareTypes(type, newType) { add(path, change.kind, .source) }
    default: add(path, .kindChanged, .wire)
    }
  }

  // Enumerants are known by their numbers.
  private mutating func compare(_ node: EnumNode, _ newNode: EnumNode, _ path: String) {
    compareNumbered(
      node.enumerants.map(\.name), newNode.enumerants.map(\.name), path)
  }

  private mutating func compare(_ node: InterfaceNode, _ newNode: InterfaceNode, _ path: String) {
    compareNumbered(node.methods.map(\.name), newNode.methods.map(\.name), path)
    for (method, newMethod) in zip(node.methods, newNode.methods) {
      let path = "\(path).\(method.name)"
      compareStructs(
        (method.parameters, method.parameterBrand),
        (newMethod.parameters, newMethod.parameterBrand), path)
      compareStructs(
        (method.results, method.resultBrand), (newMethod.results, newMethod.resultBrand), path)
      for name in newMethod.implicitParameters.dropFirst(method.implicitParameters.count) {
        add(path, .parameterAdded(name), .source)
      }
      for name in method.implicitParameters.dropFirst(newMethod.implicitParameters.count) {
        add(path, .parameterRemoved(name), .source)
      }
    }
    let (ids, newIDs) = (Set(node.superclasses.map(\.id)), Set(newNode.superclasses.map(\.id)))
    for superclass in node.superclasses {
      let path = "\(path) extends \(old.displayName(superclass.id))"
      guard let other = newNode.superclasses.first(where: { $0.id == superclass.id }) else {
        add(path, .superclassRemoved, .wire)
        continue
      }
      if let change = compareTypes(
        .interface(superclass.id, superclass.brand), .interface(other.id, other.brand))
      {
        add(path, change.kind, change.effect)
      }
    }
    for id in newIDs where !ids.contains(id) {
      add("\(path) extends \(new.displayName(id))", .superclassAdded, .none)
    }
  }

  /// The parameters or results of a method: what is sent is the struct, and not its id.
  private mutating func compareStructs(
    _ type: (id: UInt64, brand: SchemaBrand), _ newType: (id: UInt64, brand: SchemaBrand),
    _ path: String
  ) {
    let (named, newNamed) = (
      SchemaType.structure(type.id, type.brand), SchemaType.structure(newType.id, newType.brand)
    )
    if type.id == newType.id {
      // One that belongs to the method is compared by itself.
      if let change = compareTypes(named, newNamed) { add(path, change.kind, change.effect) }
      return
    }
    guard let node = old.nodes[type.id], let newNode = new.nodes[newType.id],
      let structure = node.structure, let newStructure = newNode.structure
    else { return }
    if node.scope == 0, newNode.scope == 0 {
      return compare(structure, newStructure, Self.path(node, in: old))
    }
    var inner = self
    inner.differences = []
    inner.compare(structure, newStructure, path)
    let isCompatible =
      inner.differences.allSatisfy { $0.effect < .wire } && type.brand.scopes.isEmpty
      && newType.brand.scopes.isEmpty
    let (from, to) = names(named, newNamed)
    add(path, .typeChanged(from: from, to: to), isCompatible ? .source : .wire)
  }

  /// Members whose number is their place.
  private mutating func compareNumbered(_ names: [String], _ newNames: [String], _ path: String) {
    let (numbers, newNumbers): ([String: Int], [String: Int]) =
      (names.numbered(), newNames.numbered())
    for (number, name) in names.enumerated() {
      if number < newNames.count, newNames[number] == name { continue }
      if let newNumber = newNumbers[name] {
        add("\(path).\(name)", .renumbered(from: number, to: newNumber), .wire)
      } else if number < newNames.count, numbers[newNames[number]] == nil {
        add("\(path).\(name)", .renamed(to: newNames[number]), .source)
      } else {
        add("\(path).\(name)", .removed, .wire)
      }
    }
    for (number, name) in newNames.enumerated()
    where number >= names.count && numbers[name] == nil {
      add("\(path).\(name)", .added, .none)
    }
  }
}
