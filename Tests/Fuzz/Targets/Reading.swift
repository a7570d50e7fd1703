import CapnProto

extension FuzzTarget {
  func read(_ bytes: [UInt8]) {
    guard let message = readMessage(bytes), let root = try? message.root else { return }
    var sum: UInt64 = 0
    visit(root, &sum)
    _ = try? message.isCanonical()
    _ = try? MessageReader.read(flat: bytes, frameLimits: frameLimits, limits: limits) {
      var other: UInt64 = 0
      visit(try $0.root, &other)
      require(sum == other, "a message reads the same in place")
    }
  }

  /// Reads all that the pointer leads to, as everything that it may be. The limits bound it.
  private func visit(_ pointer: AnyPointerReader, _ sum: inout UInt64) {
    sum &+= pointer.isNull ? 1 : 2
    if (try? pointer.kind) != nil { sum &+= 3 }
    if let text = try? pointer.text() {
      sum &+= UInt64(text.count)
      require(text.string.isEmpty == text.isEmpty, "a text is empty if it has no bytes")
    }
    if let data = try? pointer.data() {
      for index in data.bytes.indices { sum &+= UInt64(data.bytes[index]) }
    }
    _ = try? pointer.capability()
    _ = try? pointer.totalSize()
    if let list = try? pointer.list(of: Bool.self) {
      for i in list.indices where list[i] { sum &+= 1 }
    }
    if let list = try? pointer.list(of: UInt8.self) { list.forEach { sum &+= UInt64($0) } }
    if let list = try? pointer.list(of: Int16.self) {
      list.forEach { sum &+= UInt64(bitPattern: Int64($0)) }
    }
    if let list = try? pointer.list(of: Float.self) {
      list.forEach { sum &+= UInt64($0.bitPattern) }
    }
    if let list = try? pointer.list(of: UInt64.self) { list.forEach { sum &+= $0 } }
    if let list = try? pointer.list(of: VoidValue.self) { sum &+= UInt64(list.count) }
    if let list = try? pointer.list(of: TextReader.self) {
      for index in list.indices { if let text = try? list[index] { sum &+= UInt64(text.count) } }
    }
    if let list = try? pointer.list(of: ListReader<UInt8>.self) {
      for index in list.indices { if let inner = try? list[index] { sum &+= UInt64(inner.count) } }
    }
    // Null reads as an empty struct, whose pointers are null, and so on.
    if pointer.isNull { return }
    if let structure = try? pointer.structure() { visit(structure, &sum) }
    if let list = try? pointer.list(of: StructReader.self) {
      for index in 0..<min(list.count, 64) { visit(list[index], &sum) }
    }
    if let list = try? pointer.anyList() {
      sum &+= UInt64(list.elementSize.rawValue)
      for index in 0..<min(list.count, 64) { visit(list.pointer(index), &sum) }
    }
  }

  private func visit(_ structure: StructReader, _ sum: inout UInt64) {
    let layout = structure.layout
    for index in -1...Int(layout.dataWords) {
      sum &+=
        structure.read(index, as: UInt64.self) &+ UInt64(structure.read(index, as: UInt8.self))
      if structure.readBool(index) { sum &+= 1 }
    }
    sum &+= UInt64(structure.discriminant(Int(layout.dataWords) * 4))
    for index in -1...Int(layout.pointers) {
      require(
        structure.hasPointer(index) != structure.pointer(index).isNull, "a pointer is null or not")
      visit(structure.pointer(index), &sum)
    }
  }
}
