import CapnProtoCodeGen
import Testing

/// What generated accessors give out is held to its message in the module that uses them, although
/// their bodies are a part of the code there before anything is optimized.
@Suite(.timeLimit(.minutes(5))) struct EscapeTests {
  static let schema = """
    @0xd4c9b1f5a2e87360;
    struct Node {
      number @0 :UInt32;
      name @1 :Text;
      photo @2 :Data;
      next @3 :Node;
      all @4 :List(Node);
      union { nothing @5 :Void; other @6 :Node; }
      group :group { inner @7 :Text; }
    }
    """

  /// Expressions for what must not outlive the message that `root` reads.
  static let readers = [
    "Node.Reader": ["try root.next", "try root.all[0]", "try root.other"],
    "TextReader": ["try root.name", "try root.group.inner"],
    "DataReader": ["try root.photo"],
    "ListReader<Node.Reader>": ["try root.all"],
    "Node.Which": ["try root.which"],
    "Node.Group.Reader": ["root.group"],
  ]

  /// Expressions for what must not outlive the building of the message that `root` builds.
  static let builders = [
    "Node.Builder": ["root.next", "root.initNext()", "root.initOther()"],
    "ListBuilder<Node.Builder>": ["root.all", "root.initAll(3)"],
    "PointerField<TextType>": ["root.nameField"],
    "PointerField<Node.Builder>": ["root.nextField"],
    "Node.Group.Builder": ["root.group"],
  ]

  @Test func viewsFromAccessorsDoNotEscape() throws {
    var client = """
      import CapnProto
      import Output
      func bytes() -> [UInt8] { [] }
      func keep<Value: ~Escapable>(_ value: borrowing Value) {}

      """
    var refused: [Int: String] = [:]
    func add(_ text: String, refused expression: String?) {
      client += text + "\n"
      if let expression { refused[client.count { $0 == "\n" }] = expression }
    }
    for (type, expressions) in Self.readers.sorted(by: { $0.key < $1.key }) {
      for expression in expressions {
        let name = "reader\(refused.count)"
        add("@_lifetime(immortal) func \(name)() throws -> \(type) {", refused: nil)
        add("  let message = try MessageReader(flat: bytes())", refused: nil)
        add("  let root = try message.root(as: Node.Reader.self)", refused: nil)
        add("  return \(expression)", refused: expression)
        add("}", refused: nil)
      }
    }
    for (type, expressions) in Self.builders.sorted(by: { $0.key < $1.key }) {
      for expression in expressions {
        add("@_lifetime(immortal) func builder\(refused.count)() -> \(type) {", refused: nil)
        add("  let message = MessageBuilder()", refused: nil)
        add("  let root = message.initRoot(as: Node.Builder.self)", refused: nil)
        add("  return \(expression)", refused: expression)
        add("}", refused: nil)
      }
    }
    add("func soundBuilder() {", refused: nil)
    add("  let message = MessageBuilder()", refused: nil)
    add("  let root = message.initRoot(as: Node.Builder.self)", refused: nil)
    for expression in Self.builders.values.joined().sorted() {
      add("  keep(\(expression))", refused: nil)
    }
    add("}", refused: nil)
    add("func sound() throws -> UInt32 {", refused: nil)
    add("  let message = try MessageReader(flat: bytes())", refused: nil)
    add("  let root = try message.root(as: Node.Reader.self)", refused: nil)
    add("  return try root.number + root.next.number + root.all[0].number", refused: nil)
    add("}", refused: nil)

    let compiler = try Compiler()
    let output = try #require(try compiler.generator(["a.capnp": Self.schema]).files().first)
    let said = try compiler.diagnostics(of: client, importing: output.text)
    let lines = said.split(separator: "\n").filter { $0.contains(" error: ") }.compactMap { line in
      line.split(separator: "Client.swift:").last?.split(separator: ":").first.flatMap { Int($0) }
    }
    for (line, expression) in refused {
      #expect(lines.contains(line), "\(expression) escapes: \(said)")
    }
    #expect(Set(lines).isSubset(of: refused.keys), "\(said)")
  }
}
