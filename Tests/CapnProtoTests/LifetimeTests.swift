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
  static func errors(in source: String) throws -> (lines: Set<Int>, output: String) {
    try Tool.inDirectory { directory in
      let file = directory.appending(path: "refused.swift").path
      try source.write(toFile: file, atomically: true, encoding: .utf8)
      let result = try Tool.run([
        "swiftc", "-emit-sil", "-o", "/dev/null", "-swift-version", "6", "-parse-as-library",
        "-enable-experimental-feature", "Lifetimes", "-I", modules, file,
      ])
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
    let source = Self.shared + "\n" + declarations + "\n"
    let (lines, output) = try Self.errors(in: source)
    let texts = source.split(separator: "\n", omittingEmptySubsequences: false)
    let marked = texts.indices.filter { texts[$0].hasSuffix("// refused") }.map { $0 + 1 }
    #expect(!marked.isEmpty)
    for (index, start) in marked.enumerated() {
      let end = index + 1 < marked.count ? marked[index + 1] : texts.count
      #expect(lines.contains { (start..<end).contains($0) }, "\(texts[start - 1]): \(output)")
    }
  }
}
