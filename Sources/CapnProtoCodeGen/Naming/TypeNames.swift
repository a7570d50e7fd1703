import CapnProtoSchema

/// Where each node of the request lies in Swift: the path of nested types that leads to it.
///
/// Names do not depend on which part of a file the request holds, so that two files of a target
/// that are generated separately agree.
struct TypeNames {
  /// The path from the top level.
  private(set) var paths: [UInt64: [String]] = [:]
  /// The names at the top level.
  private(set) var topLevel: Set<String> = []
  /// The nodes that become types or constants inside another, in the order of the output.
  private(set) var children: [UInt64: [UInt64]] = [:]
  /// The node that one lies in; also for structs that stand for parameters and results.
  private(set) var parents: [UInt64: UInt64] = [:]

  /// The type parameters of each node, those of the scopes around it first.
  private(set) var parameters: [UInt64: [TypeParameter]] = [:]
  /// The names of the call contexts of the methods of each interface.
  private(set) var calls: [UInt64: [String]] = [:]
  /// The structs and groups that have a plain Swift value.
  private(set) var values: Set<UInt64> = []
  /// Those that shall have one, whether they can or not.
  private var valueCandidates: Set<UInt64> = []

  /// The names of declarations at the top level that another file of the module has as well.
  private let sharedNames: [UInt64: String]

  private let request: SchemaRequest

  init(_ request: SchemaRequest) {
    self.request = request
    sharedNames = Self.sharedNames(request)
    // Files, and scopes whose own scope the request does not hold.
    for node in request.nodes.values.sorted(by: { $0.id < $1.id }) where isRoot(node) {
      if !node.isFile { paths[node.id] = fallbackPath(node) }
      visit(node, path: paths[node.id] ?? [], hasValue: request.modules.givesValues(to: node.id))
    }
    topLevel = Set(paths.values.compactMap(\.first))
    values = ValueRule(request, parents).structs(among: valueCandidates)
  }

  /// The file that a node is declared in; also for structs that stand for parameters and results.
  func file(of id: UInt64) -> UInt64? {
    var id = id
    while let parent = parents[id] { id = parent }
    return request.file(of: id)
  }

  /// The names of the types declared inside a node, where unqualified names are looked up first.
  func membersOfScope(_ id: UInt64) -> Set<String> {
    guard let node = request.nodes[id] else { return [] }
    var names = fixedNames(node)
    for child in children[id] ?? [] { if let name = paths[child]?.last { names.insert(name) } }
    return names.union(calls[id] ?? [])
  }

  /// The name of the call context of a method.
  func callName(_ method: InterfaceNode.Method, of id: UInt64) -> String {
    calls[id].map { $0[method.number] } ?? "Never"
  }

  private func isRoot(_ node: SchemaNode) -> Bool {
    node.isFile || (node.scope != 0 && request.nodes[node.scope] == nil)
  }

  /// The path of a node whose scopes are not in the request: the schema compiler leaves out scopes
  /// that are not needed, and names such a node in full.
  private func fallbackPath(_ node: SchemaNode) -> [String] {
    let path = node.displayName.split(separator: ":").last ?? Substring(node.name)
    return path.split(separator: ".").enumerated().map { depth, part in
      var names = Self.table(depth == 0 ? [] : Self.allFixedNames)
      return names.claim(SwiftName.capitalized(String(part)))
    }
  }

  private mutating func visit(_ node: SchemaNode, path: [String], hasValue: Bool) {
    let hasValue = hasValue || node.swift.hasValue
    declareParameters(of: node)
    if hasValue, node.scope != 0, node.structure != nil, parameters[node.id] == nil {
      valueCandidates.insert(node.id)
    }
    var table = Self.table(fixedNames(node))
    // `X.Type` and `X.Protocol` mean something else in Swift.
    if !path.isEmpty { table.add(["Type", "Protocol"]) }
    calls[node.id] = node.interface?.methods.map {
      table.claim(SwiftName.capitalized($0.swiftName) + "Call")
    }
    func add(_ id: UInt64, _ name: String) {
      var name = table.claim(name)
      // The name that is deprecated is another one, as generated code may not use it.
      if request.nodes[id]?.isDeprecatedType == true { name = "_" + name }
      // A group's id may appear once only, or a damaged request would not end.
      guard let child = request.nodes[id], paths[id] == nil else { return }
      paths[id] = path + [name]
      parents[id] = node.id
      children[node.id, default: []].append(id)
      visit(child, path: path + [name], hasValue: hasValue)
    }
    for nested in node.nested {
      add(nested.id, sharedNames[nested.id] ?? Self.name(nested, request))
    }
    for field in node.structure?.fields ?? [] {
      guard case .group(let id) = field.kind else { continue }
      add(id, SwiftName.capitalized(field.swift.name ?? request.nodes[id]?.name ?? ""))
    }
    for method in node.interface?.methods ?? [] {
      for (id, suffix) in [(method.parameters, "Params"), (method.results, "Results")]
      where request.nodes[id]?.scope == 0 {
        add(id, SwiftName.capitalized(method.swiftName) + suffix)
      }
    }
  }

  /// The name of a nested declaration, before it makes way for others.
  private static func name(_ nested: SchemaNode.Nested, _ request: SchemaRequest) -> String {
    let node = request.nodes[nested.id]
    let name = node?.swift.name ?? nested.name
    return node?.isConstant == true ? SwiftName.method(name) : name
  }

  /// Names for what several requested files of a module declare at the top level, where Swift has no
  /// namespace between files: the first file by name keeps the name, the others add their own to it.
  private static func sharedNames(_ request: SchemaRequest) -> [UInt64: String] {
    var taken: Set<TopLevelName> = []
    var shared: [UInt64: String] = [:]
    for file in request.files.sorted(by: { ($0.name, $0.id) < ($1.name, $1.id) }) {
      let module = request.modules.module(of: file.id)
      for nested in request.nodes[file.id]?.nested ?? [] {
        if request.nodes[nested.id]?.isAnnotation != false { continue }
        let name = name(nested, request)
        if !taken.insert(TopLevelName(module: module, name: name)).inserted {
          shared[nested.id] = name + "_" + SwiftName.suffix(ofFile: file.name)
        }
      }
    }
    return shared
  }

  private struct TopLevelName: Hashable {
    let module: String?
    let name: String
  }

  /// Notes the type parameters of structs and interfaces. An inner one that has the name of an
  /// outer one is told from it: in Swift, both are parameters of the same leaf.
  private mutating func declareParameters(of node: SchemaNode) {
    guard node.structure != nil || node.interface != nil, !node.isTooGeneric else { return }
    var all = parents[node.id].flatMap { parameters[$0] } ?? []
    var table = Self.table(Self.allFixedNames.union(all.map(\.name)))
    for (index, name) in node.parameters.enumerated() {
      all.append(
        TypeParameter(
          id: TypeParameter.ID(scope: node.id, index: index),
          name: table.claim(SwiftName.capitalized(name))))
    }
    parameters[node.id] = all.isEmpty ? nil : all
  }

  /// A table for names of types, in which those that generated code uses are taken as well.
  static func table(_ taken: Set<String>) -> NameTable {
    NameTable(taken.union(SwiftName.typesInUse))
  }

  private func fixedNames(_ node: SchemaNode) -> Set<String> {
    let names: Set<String>
    switch node.kind {
    case .structure: names = ["Reader", "Builder", "Which", "Pipeline"]
    case .interface: names = ["Client", "Server", "PartialServer", "ImmediateServer", "Methods"]
    default: return []
    }
    return names.union(["ElementReader", "ElementBuilder"])
      .union(parameters[node.id] == nil ? [] : ["Of"])
      .union(valueCandidates.contains(node.id) ? ["Value"] : [])
  }

  private static let allFixedNames: Set<String> = [
    "Reader", "Builder", "Which", "Pipeline", "Client", "Server", "PartialServer",
    "ImmediateServer",
    "Methods", "Type", "Protocol", "Of", "Value", "ElementReader", "ElementBuilder",
  ]
}
