import CapnProto

extension FuzzTarget {
  func canonicalize(_ bytes: [UInt8]) {
    guard let message = readMessage(bytes), let form = try? message.root.canonicalized() else {
      return
    }
    guard let canonical = Self.framed(form), let root = try? canonical.root else {
      fatalError("a canonical form has a root")
    }
    require((try? canonical.isCanonical()) == true, "a canonical form is canonical")
    require((try? root.canonicalized()) == form, "a canonical form is its own")
    guard let original = readMessage(bytes, wideLimits) else { return }
    require(
      (try? original.root.equality(to: root)) == .equal, "a canonical form has the same content")
    if (try? original.isCanonical()) == true {
      require(original.flattened() == canonical.flattened(), "there is one canonical form")
    }
  }

  private static func framed(_ form: [UInt8]) -> MessageReader? {
    let words = form.count / 8
    let head = [0, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: words >> (8 * $0)) }
    return try? MessageReader(
      flat: head + form, frameLimits: FrameLimits(words: 1 << 20, segments: 1), limits: wideLimits)
  }

  func copy(_ bytes: [UInt8]) {
    guard let message = readMessage(bytes), let root = try? message.root else { return }
    let copy = MessageBuilder(firstSegmentWords: 1 + bytes.count % 40)
    guard (try? copy.root.set(root)) != nil else { return }
    guard let original = readMessage(bytes, wideLimits),
      let source = try? original.root, let size = try? source.totalSize()
    else { return }
    if size.capabilities == 0 {
      require(
        (try? source.equality(to: copy.root.reader)) == .equal, "a copy has the same content")
    }
    shuffle(copy)
    // What is left is a message that can be read, and nothing that was erased goes out.
    let flat = copy.flattened()
    guard let again = try? MessageReader(flat: flat, limits: wideLimits) else {
      fatalError("what was built is a frame")
    }
    require((try? again.root.totalSize()) != nil, "what was moved about can be read")
    copy.root.clear()
    copy.segments { segment in
      for index in 0..<segment.byteCount {
        require(
          unsafe segment.unsafeLoadUnaligned(fromByteOffset: index, as: UInt8.self) == 0,
          "what is cleared is zero")
      }
    }
  }

  /// Disowns, adopts, enlarges and truncates.
  private func shuffle(_ message: borrowing MessageBuilder) {
    let kind = try? message.root.reader.kind
    if kind == .list {
      var list = message.root.disown(as: ListBuilder<StructBuilder>.self)
      let count = list.count
      if count > 0, count < 1000 {
        list.truncate(to: count / 2)
        list.truncate(to: count)
      }
      message.root.adopt(list)
    } else if kind == .structure {
      let root = message.root.structure(as: Enlarged.Builder.self)
      var orphan = root._raw.pointer(0).disown(as: Enlarged.Builder.self)
      if !orphan.isNull {
        orphan.builder._raw.write(3, 7 as UInt64)
        root._raw.pointer(1).adopt(orphan)
      }
      let list = root._raw.pointer(2).list(of: Enlarged.Builder.self)
      for index in 0..<min(list.count, 8) { list[index]._raw.write(0, 9 as UInt64) }
      root._raw.pointer(0).adopt(root._raw.pointer(1).disown(as: AnyPointerBuilder.self))
    }
  }
}

/// A struct larger than most in the input.
private enum Enlarged {
  struct Reader: TypedStructReader, ~Escapable {
    static var _layout: StructLayout { StructLayout(dataWords: 4, pointers: 3) }
    let _raw: StructReader
    @_lifetime(copy raw) init(_raw raw: StructReader) { _raw = raw }
  }

  struct Builder: TypedStructBuilder, ~Escapable {
    typealias Reader = Enlarged.Reader
    let _raw: StructBuilder
    @_lifetime(copy raw) init(_raw raw: StructBuilder) { _raw = raw }
  }
}
