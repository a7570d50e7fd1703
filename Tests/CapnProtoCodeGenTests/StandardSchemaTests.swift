import CapnProtoCodeGen
import Foundation
import Testing

/// The schemas that come with Cap'n Proto are generated, and compile without a warning.
@Suite(.timeLimit(.minutes(3))) struct StandardSchemaTests {
  @Test(arguments: [
    "schema.capnp", "rpc.capnp", "rpc-twoparty.capnp", "stream.capnp",
    "c++.capnp", "compat/json.capnp",
  ])
  func outputCompilesWithoutWarnings(name: String) throws {
    let folder = "/usr/include/capnp"
    let compiler = try Compiler()
    let file = try #require(
      try compiler.generator(file: "\(folder)/\(name)", prefix: folder).files().first)
    #expect(try compiler.diagnostics(of: file.text) == "")
  }
}
