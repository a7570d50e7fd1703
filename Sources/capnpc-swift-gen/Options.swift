import CapnProtoCodeGen

extension CodeGeneratorOptions {
  /// The options in the environment, where the build plugin puts them.
  ///
  /// - Throws: ``UsageError`` if the table of modules is malformed.
  init(_ environment: [String: String]) throws {
    self.init()
    givesValues = environment["CAPNPC_SWIFT_VALUES"] == "1"
    isInternal = environment["CAPNPC_SWIFT_ACCESS"] == "internal"
    usesRPC = environment["CAPNPC_SWIFT_RPC"] == "1"
    flattensFolders = environment["CAPNPC_SWIFT_FLAT"] == "1"
    guard let table = environment["CAPNPC_SWIFT_MODULES"] else { return }
    var modules: [UInt64: String?] = [:]
    for entry in table.split(separator: " ") {
      let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].hasPrefix("0x"),
        let id = UInt64(parts[0].dropFirst(2), radix: 16)
      else {
        throw UsageError(
          "CAPNPC_SWIFT_MODULES has an entry '\(entry)'; it takes '0x<id>=<module>' or '0x<id>=<module>+rpc'"
        )
      }
      let usesRPC = parts[1].hasSuffix("+rpc")
      let module = usesRPC ? parts[1].dropLast(4) : parts[1]
      modules[id] = .some(module.isEmpty ? nil : String(module))
      if usesRPC { rpcFiles.insert(id) }
    }
    self.modules = modules
  }
}
