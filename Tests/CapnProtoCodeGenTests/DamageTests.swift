import CapnProto
import CapnProtoCodeGen
import CapnProtoSchema
import Testing

/// Requests that no schema compiler writes end in an error or in output, and do end.
@Suite(.timeLimit(.minutes(5))) struct DamageTests {
  /// Reads, checks and generates; errors are fine.
  private func generate(_ bytes: [UInt8]) {
    do {
      let reader = try MessageReader(flat: bytes)
      let request: CodeGeneratorRequest.Reader = try reader.root()
      let generator = CodeGenerator(try SchemaRequest(request))
      _ = generator.refusals
      _ = try generator.files()
    } catch {}
  }

  @Test func nodesThatContainThemselves() {
    let message = MessageBuilder()
    let request: CodeGeneratorRequest.Builder = message.initRoot()
    let nodes = request.initNodes(2)
    nodes[0].id = 1
    nodes[0].displayName = "a.capnp"
    nodes[0].setFile()
    nodes[0].initNestedNodes(1)[0].id = 2
    nodes[1].id = 2
    nodes[1].scopeId = 2
    nodes[1].displayName = "a.capnp:A"
    nodes[1].displayNamePrefixLength = 900
    nodes[1].initNestedNodes(1)[0].id = 2
    let fields = nodes[1].initStruct().initFields(2)
    fields[0].initGroup().typeId = 2
    fields[1].initSlot().initType().initStruct().typeId = 2
    let file = request.initRequestedFiles(1)[0]
    file.id = 1
    file.filename = "a.capnp"
    generate(message.flattened())
  }

  @Test func interfacesThatExtendThemselves() {
    let message = MessageBuilder()
    let request: CodeGeneratorRequest.Builder = message.initRoot()
    let nodes = request.initNodes(2)
    nodes[0].id = 1
    nodes[0].setFile()
    nodes[0].initNestedNodes(1)[0].id = 2
    nodes[1].id = 2
    nodes[1].scopeId = 1
    let interface = nodes[1].initInterface()
    interface.initSuperclasses(1)[0].id = 2
    let method = interface.initMethods(1)[0]
    method.paramStructType = 99
    method.resultStructType = 2
    request.initRequestedFiles(1)[0].id = 1
    generate(message.flattened())
  }

  /// The index of a type parameter has 16 bits.
  @Test func methodsWithMoreTypeParametersThanCanBeNamed() {
    let message = MessageBuilder()
    let request: CodeGeneratorRequest.Builder = message.initRoot()
    let nodes = request.initNodes(3)
    nodes[0].id = 1
    nodes[0].setFile()
    nodes[0].initNestedNodes(1)[0].id = 2
    nodes[1].id = 2
    nodes[1].scopeId = 1
    let method = nodes[1].initInterface().initMethods(1)[0]
    method.paramStructType = 3
    method.resultStructType = 3
    _ = method.initImplicitParameters(65_537)
    nodes[2].id = 3
    _ = nodes[2].initStruct()
    request.initRequestedFiles(1)[0].id = 1
    generate(message.flattened())
  }
}
