// Safety. Copies objects of a message that nobody vouches for into our own: the source side is read
// through the checks of RawReading.swift, and each copy's bounds are those of its allocation.

extension RawPointerBuilder {
  /// Copies what the other pointer leads to, of this or of another message, in depth.
  ///
  /// Capabilities go along. The source's nesting and traversal limits bound the work.
  @usableFromInline @inline(never)
  func copy(from source: RawPointer) throws(DecodingError) {
    if !word.isNull { erase() }
    guard !source.word.isNull else { return }
    let target = try source.target()
    switch target.word.kind {
    case 0:
      let object = try source.structure()
      try initStructure(target.word.layout).copyContent(from: object)
    case 1:
      try copyList(source.anyList())
    default:
      setCapability(try source.capabilityHook())
    }
  }

  func copyList(_ source: RawList) throws(DecodingError) {
    if source.size == .inlineComposite {
      let layout = StructLayout(
        dataWords: UInt16(source.dataBits / 64), pointers: source.pointers)
      let list = initStructureList(layout, count: Int(source.count))
      guard layout.words > 0 else { return }
      for index in 0..<Int(source.count) {
        try list.structure(index).copyContent(from: source.structure(index))
      }
      return
    }
    let list = initList(source.size, count: Int(source.count))
    if source.size == .pointer {
      for index in 0..<Int(source.count) {
        try list.pointer(index).copy(from: source.pointer(index))
      }
      return
    }
    let bits = Int(source.count) * Int(source.step)
    unsafe list.start.copyMemory(from: source.start, byteCount: bits / 8)
    if bits % 8 != 0 {
      // The bits past the last element are the sender's, and are left behind.
      let last = unsafe source.start.load(fromByteOffset: bits / 8, as: UInt8.self)
      unsafe list.start.storeBytes(
        of: last & (1 << UInt8(bits % 8) - 1), toByteOffset: bits / 8, as: UInt8.self)
    }
  }

  /// Copies the struct in depth, in a layout of at least its own and this type's sections.
  @usableFromInline
  func copyStructure(
    _ source: RawStruct, atLeast layout: StructLayout
  ) throws(DecodingError) {
    try initStructure(
      StructLayout(
        dataWords: max(layout.dataWords, UInt16((source.dataBits + 63) / 64)),
        pointers: max(layout.pointers, source.pointers))
    ).copyContent(from: source)
  }
}

extension RawStructBuilder {
  /// Copies data and pointers of a struct; this one's sections are at least as large and are zero.
  func copyContent(from source: RawStruct) throws(DecodingError) {
    unsafe data.copyMemory(from: source.data, byteCount: Int(source.dataBits) / 8)
    for index in 0..<Int(source.pointers) {
      try pointer(index).copy(from: source.pointer(index))
    }
  }
}
