import Foundation
import Testing

/// Code that would keep a view past its message does not compile.
///
/// Each declaration marked `// refused` must have an error of the compiler's.
@Suite struct LifetimeTests {
  static let shared = """
    import CapnProto
    struct R: TypedStructReader, ~Escapable {
      static var _layout: StructLayout { StructLayout(dataWords: 1, pointers: 1) }
      let _raw: StructReader
      @_lifetime(copy raw) init(_raw raw: StructReader) { _raw = raw }
    }
    struct B: TypedStructBuilder, ~Escapable {
      typealias Reader = R
      let _raw: StructBuilder
      @_lifetime(copy raw) init(_raw raw: StructBuilder) { _raw = raw }
    }
    func bytes() -> [UInt8] { [] }
    func use(_ r: borrowing StructReader) { _ = r.layout }
    """

  /// What the compiler refuses once types are checked.
  static let lifetimes = """
    @_lifetime(immortal) func readerPastMessage() throws -> R { // refused
      let message = try MessageReader(flat: bytes())
      return try message.root(as: R.self)
    }
    func readerPastScope() throws { // refused
      var kept: StructReader? = nil
      do {
        let message = try MessageReader(flat: bytes())
        kept = try message.root.structure()
      }
      if let kept { use(kept) }
    }
    func readerPastConsumption() throws { // refused
      let message = try MessageReader(flat: bytes())
      let root = try message.root(as: R.self)
      _ = try Ref<R>(message)
      use(root._raw)
    }
    func builderPastFreeze() { // refused
      let message = MessageBuilder()
      let root = message.initRoot(as: B.self)
      let frozen = message.freeze()
      root._raw.write(0, 1 as UInt8)
      _ = frozen.segmentCount
    }
    func builderPastSeal() { // refused
      let message = MessageBuilder()
      let root = message.initRoot(as: B.self)
      let sealed = SealedMessage(message)
      root._raw.write(0, 1 as UInt8)
      _ = consume sealed
    }
    func builderPastBuild() { // refused
      let message = MessageBuilder()
      var kept: StructBuilder? = nil
      message.build(B.self) { kept = $0._raw }
      let frozen = message.freeze()
      if let kept { kept.write(0, 1 as UInt8) }
      _ = frozen.segmentCount
    }
    func readerPastBorrowedBytes() throws { // refused
      var kept: StructReader? = nil
      try MessageReader.read(flat: bytes().span.bytes) { kept = try $0.root.structure() }
      if let kept { use(kept) }
    }
    func readerPastForEach() throws { // refused
      var kept: StructReader? = nil
      do {
        let message = try MessageReader(flat: bytes())
        try message.root.list(of: R.self).forEach { kept = $0._raw }
      }
      if let kept { use(kept) }
    }
    func readerPastRef() throws { // refused
      var ref = try Ref<R>(MessageReader(flat: bytes()))
      let reader = ref.reader
      ref = try Ref<R>(MessageReader(flat: bytes()))
      use(reader._raw)
    }
    final class Box { var ref: Ref<R>; init(_ ref: Ref<R>) { self.ref = ref } }
    @_lifetime(immortal) func readerPastClass(_ box: Box) -> R { // refused
      return box.ref.reader
    }
    func bytesPastMessage() throws { // refused
      var kept = Span<UInt8>()
      do {
        let message = try MessageReader(flat: bytes())
        kept = try message.root.text().bytes
      }
      _ = kept.count
    }
    func segmentsPastBuilder() { // refused
      var kept = RawSpan()
      do {
        let message = MessageBuilder()
        message.segments { kept = $0 }
      }
      _ = kept.byteCount
    }
    func messagePastDecoder() throws { // refused
      var kept: StructReader? = nil
      do {
        var decoder = FrameDecoder()
        var offset = 0
        if let message = try decoder.next(bytes().span.bytes, &offset) {
          kept = try message.root.structure()
        }
      }
      if let kept { use(kept) }
    }
    @_lifetime(immortal) func orphanPastMessage() -> Orphan<TextType> { // refused
      let message = MessageBuilder()
      return message.orphanage.newText("gone")
    }
    func orphanAdoptedTwice() { // refused
      let message = MessageBuilder()
      let orphan = message.orphanage.newText("once")
      message.root.adopt(orphan)
      message.root.adopt(orphan)
    }
    func orphanPastFreeze() { // refused
      let message = MessageBuilder()
      let orphan = message.orphanage.newText("late")
      let frozen = message.freeze()
      _ = orphan.isNull
      _ = frozen.segmentCount
    }
    func builderPastTruncation() { // refused
      let message = MessageBuilder()
      var orphan = message.orphanage.newList(of: UInt8.self, count: 3)
      let list = orphan.builder
      orphan.truncate(to: 1)
      list[2] = 1
    }
    func bytesPastAdoption() { // refused
      let message = MessageBuilder()
      var orphan = message.orphanage.newData(count: 3)
      var bytes = orphan.mutableBytes
      message.root.adopt(orphan)
      bytes[2] = 1
    }
    func taskTakesReader() throws { // refused
      let message = try MessageReader(flat: bytes())
      let root = try message.root.structure()
      Task { _ = root.layout }
    }
    func closureTakesReader() throws -> () -> UInt8 { // refused
      let message = try MessageReader(flat: bytes())
      let root = try message.root.structure()
      return { root.read(0) }
    }
    func builderToTask() { // refused
      let message = MessageBuilder()
      let root = message.root
      Task { root.clear() }
    }
    """

  /// What is refused by its types.
  static let types = """
    func arrayOfReaders() throws { // refused
      let message = try MessageReader(flat: bytes())
      let all = [try message.root.structure()]
      _ = all.count
    }
    func rawParts() throws { // refused
      let message = try MessageReader(flat: bytes())
      _ = try message.root.raw
    }
    func borrowedMessageConsumed() throws { // refused
      try MessageReader.read(flat: bytes().span.bytes) { _ = $0.arena }
    }
    struct Evil: TypedStructReader { // refused
      static var _layout: StructLayout { StructLayout(dataWords: 1, pointers: 1) }
      let _raw: StructReader
      init(_raw raw: StructReader) { _raw = raw }
    }
    """

  /// The folder of the modules that this test was built with.
  static var modules: String {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "Modules")
      .path
  }

  /// The lines of the source on which the compiler reports an error.
  static func errors(
    in source: String, _ mode: [String] = ["-emit-sil"]
  ) throws -> (lines: Set<Int>, output: String) {
    try Tool.inDirectory { directory in
      let file = directory.appending(path: "refused.swift").path
      try source.write(toFile: file, atomically: true, encoding: .utf8)
      let result = try Tool.run(
        [
          "swiftc", "-o", "/dev/null", "-swift-version", "6", "-parse-as-library",
          "-enable-experimental-feature", "Lifetimes", "-I", modules, file,
        ] + mode)
      var lines: Set<Int> = []
      for line in result.text.split(separator: "\n") where line.hasPrefix(file) {
        let parts = line.dropFirst(file.count + 1).split(separator: ":")
        if parts.count > 2, parts[2] == " error", let number = Int(parts[0]) {
          lines.insert(number)
        }
      }
      return (lines, result.text)
    }
  }

  @Test func soundCodeCompiles() throws {
    let sound = """

      func sound() throws -> Ref<R> {
        let message = MessageBuilder()
        message.build(B.self) { $0._raw.write(0, 1 as UInt8) }
        let reader = message.freeze()
        let root = try reader.root(as: R.self)
        use(root._raw)
        return try root.retained()
      }
      """
    let (lines, output) = try Self.errors(in: Self.shared + sound)
    #expect(lines.isEmpty && !output.contains("error:"), "\(output)")
  }

  @Test(arguments: [lifetimes, types]) func viewsDoNotEscape(declarations: String) throws {
    try expectRefused(Self.shared + "\n" + declarations + "\n", ["-emit-sil"])
  }

  private func expectRefused(_ source: String, _ mode: [String]) throws {
    let (lines, output) = try Self.errors(in: source, mode)
    let texts = source.split(separator: "\n", omittingEmptySubsequences: false)
    let marked = texts.indices.filter { texts[$0].hasSuffix("// refused") }.map { $0 + 1 }
    #expect(!marked.isEmpty)
    for (index, start) in marked.enumerated() {
      let end = index + 1 < marked.count ? marked[index + 1] : texts.count
      #expect(lines.contains { (start..<end).contains($0) }, "\(texts[start - 1]): \(output)")
    }
  }

  /// What reads and builds a message where it is made, without a name for its owner.
  static let owners = """

    struct Pet: TypedStructReader, ~Escapable {
      static var _layout: StructLayout { StructLayout(dataWords: 1, pointers: 1) }
      let _raw: StructReader
      @_lifetime(copy raw) init(_raw raw: StructReader) { _raw = raw }
      var id: UInt32 { _raw.read(0) }
      var name: TextReader {
        @_lifetime(copy self) get throws(DecodingError) { try _raw.readText(0) }
      }
    }
    func built() throws -> MessageBuilder { MessageBuilder() }
    func received() throws -> MessageReader { try MessageReader(flat: bytes()) }
    func shared() throws -> SharedMessage { try SharedMessage(received()) }
    func ref() throws -> Ref<Pet> { try Ref<Pet>(received()) }
    func later() async throws -> MessageReader { try received() }

    """

  static let accepted = """
    func a() throws -> UInt32 { try MessageReader(flat: bytes()).read(Pet.self) { $0.id } }
    func b() throws -> String { try received().read(Pet.self) { try $0.name.string } }
    func c() throws -> Ref<Pet> { try received().read(Pet.self) { try $0.retained() } }
    func d() throws -> UInt32 { try SharedMessage(received()).read(Pet.self) { $0.id } }
    func e() throws -> String { try shared().read { (r: Pet) in try r.name.string } }
    func f() throws -> String { try ref().read { try $0.name.string } }
    func g(_ refs: [Ref<Pet>]) throws -> String { try refs[0].read { try $0.name.string } }
    func h(_ refs: [Int: Ref<Pet>]) throws -> String? { try refs[0]?.read { try $0.name.string } }
    func i(_ ok: Bool) throws -> UInt32 { ok ? try received().read(Pet.self) { $0.id } : 0 }
    func j() throws { print(try received().read(Pet.self) { $0.id }) }
    func k() async throws -> UInt32 { try await later().read(Pet.self) { $0.id } }
    func l() throws -> Int {
      var decoder = FrameDecoder()
      var offset = 0
      return try decoder.next(bytes().span.bytes, &offset)?.read { (r: Pet) in Int(r.id) } ?? 0
    }
    func m() throws { try built().build(B.self) { $0._raw.write(0, 1 as UInt8) } }
    func n() throws { MessageBuilder().root.setText("x") }
    func n(_ body: (B) throws -> Void) throws {
      let message = MessageBuilder()
      func run(_ body: () throws -> Void) rethrows { try body() }
      try run { try body(message.initRoot(as: B.self)) }
    }
    func o(_ refs: [Ref<Pet>]) throws -> [String] { try refs.map { try $0.reader.name.string } }
    func p(_ refs: [Ref<Pet>]) throws { for ref in refs { print(try ref.reader.name.string) } }
    func q(_ ref: Ref<Pet>?) throws -> String? {
      guard let ref else { return nil }
      return try ref.reader.name.string
    }
    """

  static let owned = """
    func l() throws -> String { // refused
      try ref().reader.name.string
    }
    func m(_ refs: [Ref<Pet>]) throws -> String { // refused
      try refs[0].reader.name.string
    }
    func n(_ refs: [Int: Ref<Pet>]) throws -> String? { // refused
      try refs[0]?.reader.name.string
    }
    func viewAsResult() throws { // refused
      let name = try ref().read { try $0.name }
      print(name)
    }
    func viewsAsResults() throws { // refused
      let message = try received()
      let names = try message.root.list(of: Pet.self).map { try $0.name }
      print(names)
    }
    """

  @Test(arguments: ["-Onone", "-O"]) func messagesAreReadWhereTheyAreMade(mode: String) throws {
    let (lines, output) = try Self.errors(
      in: Self.shared + Self.owners + Self.accepted, ["-c", mode])
    #expect(lines.isEmpty && !output.contains("error:"), "\(output)")
  }

  @Test func aViewAsResultIsRefusedWithWhatToReturn() throws {
    let source = """
      func view() throws {
        let name = try ref().read { try $0.name }
        print(name)
      }
      """
    let (lines, output) = try Self.errors(in: Self.shared + Self.owners + source)
    #expect(!lines.isEmpty)
    #expect(output.contains("return a copy: text.string, data.array, reader.retained()"))
  }

  @Test(arguments: ["-Onone", "-O"]) func viewsOfUnnamedReferencesAreRefused(mode: String) throws {
    try expectRefused(Self.shared + Self.owners + Self.owned + "\n", ["-c", mode])
  }
}
