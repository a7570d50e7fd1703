import CapnProtoSchema

/// Which Swift module holds the bindings of which schema file.
struct SchemaModules {
  /// By file; nil for files of the module that is generated.
  private var modules: [UInt64: String?] = [:]
  /// Whether files that nobody placed may belong to the module that is generated.
  private let isOpen: Bool
  /// The modules of dependencies that have requested files as well, or others of their ids.
  private let otherOwners: [UInt64: String]
  private let valueFiles: Set<UInt64>?
  private let rpcFiles: Set<UInt64>

  init(
    _ options: CodeGeneratorOptions, _ nodes: [UInt64: SchemaNode], requested: [UInt64]
  ) {
    isOpen = options.modules == nil
    for (file, module) in Self.standard { modules[file] = module }
    for node in nodes.values where node.isFile {
      if let module = node.swift.module { modules[node.id] = module }
    }
    for (file, module) in options.modules ?? [:] { modules[file] = .some(module) }
    otherOwners = Dictionary(
      uniqueKeysWithValues: Set(requested).compactMap { file in
        (options.modules?[file] ?? nil).map { (file, $0) }
      })
    // What is asked for is of the module that is generated, unless something says otherwise.
    for file in requested where modules[file] == nil { modules[file] = .some(nil) }
    rpcFiles = options.rpcFiles.union(options.usesRPC ? requested : [])
    valueFiles =
      options.givesValues
      ? options.modules.map { Set($0.filter { $0.value == nil }.keys).union(requested) } : []
  }

  /// The module to name in front of types of a file; nil where it is the one of the other file.
  func module(of file: UInt64?, from other: UInt64) -> String? {
    guard let file, file != other, let module = modules[file] ?? nil else { return nil }
    return module == modules[other] ?? nil ? nil : module
  }

  /// The module that is said to hold the bindings of the file; nil where that is the one that is
  /// generated, or not known.
  func module(of file: UInt64) -> String? { modules[file] ?? nil }

  /// A module that the options say to hold the bindings of a requested file.
  func otherOwner(of file: UInt64) -> String? { otherOwners[file] }

  /// Whether it is known where the bindings of the file are.
  func knows(_ file: UInt64) -> Bool { isOpen || modules[file] != nil }

  /// Whether somebody placed the file in a module, this one or another.
  func places(_ file: UInt64) -> Bool { modules[file] != nil }

  /// Whether the options, not annotations, give the structs of a file plain values.
  func givesValues(to file: UInt64) -> Bool { valueFiles?.contains(file) ?? true }

  /// Whether the bindings of the file may use the RPC runtime where they need not.
  func usesRPC(_ file: UInt64?) -> Bool { file.map { rpcFiles.contains($0) } ?? false }

  /// Whether the file is one that comes with Cap'n Proto or this package.
  static func isStandard(_ file: UInt64) -> Bool {
    standard[file] != nil || withoutBindings.contains(file)
  }

  /// Files of Cap'n Proto that hold annotations only, or that no module of this package binds.
  private static let withoutBindings: Set<UInt64> = [
    0xbdf8_7d7b_b830_4e81,  // c++.capnp
    0xa184_c788_5cda_f2a1,  // rpc-twoparty.capnp
    0xc90e_2d16_f1c8_c0ec,  // swift.capnp
    0x8f5d_14e1_c273_738d,  // compat/byte-stream.capnp
    0xb665_280a_aff2_e632,  // compat/http-over-capnp.capnp
  ]

  /// compat/json.capnp, which most schemas import for its annotations only.
  static let json: UInt64 = 0x8ef9_9297_a43a_5e34

  /// Files of Cap'n Proto itself.
  private static let standard: [UInt64: String] = [
    0xa93f_c509_624c_72d9: "CapnProtoSchema",
    0xb312_981b_2552_a250: "CapTP",
    0x86c3_66a9_1393_f3f8: "CapnProtoRPC",
    0xb863_0836_983f_eed7: "CapnProtoRPC",
    json: "CapnProtoCompat",
  ]
}

/// What the caller of the generator knows and the request does not say.
public struct CodeGeneratorOptions: Sendable {
  /// The modules that hold the bindings of schema files, by file id; nil for files of the module
  /// that is generated. Without the table, all files are of that module unless they are annotated.
  public var modules: [UInt64: String?]?
  /// The files whose modules use the RPC runtime: their generic structs have pipelines, as their
  /// type parameters may be bound to capabilities.
  public var rpcFiles: Set<UInt64> = []
  /// Whether the module that is generated uses the RPC runtime: the requested files are among those
  /// then.
  public var usesRPC = false
  /// Whether all structs of the module get plain values, annotated or not.
  public var givesValues = false
  /// Whether the generated code is for use in its own module only: then what a program does not use
  /// of it is not compiled.
  public var isInternal = false
  /// Whether the names of output files are those of the schemas with folders joined by hyphens: no
  /// two files of a Swift module may have the same name.
  public var flattensFolders = false

  /// Nothing is known.
  public init() {}
}
