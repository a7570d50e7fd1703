/// A pointer field of a struct being built, as a place: for what is not done by its value.
///
/// `Value` is what an ``Orphan`` of the field builds. Generated code has one for every pointer
/// field (`nameField` for `name`), but for capabilities.
@frozen public struct PointerField<Value: ListElementBuilder & ~Escapable>: ~Escapable {
  @usableFromInline let structure: StructBuilder
  @usableFromInline let index: Int
  /// Where the discriminant of the field's union lies; nil outside of a union.
  @usableFromInline let discriminantOffset: Int?
  @usableFromInline let discriminant: UInt16

  /// The field whose pointer has the index.
  @inlinable @_lifetime(copy structure)
  public init(_ structure: StructBuilder, _ index: Int) {
    self.structure = structure
    self.index = index
    discriminantOffset = nil
    discriminant = 0
  }

  /// The field whose pointer has the index, a member of the union whose discriminant lies at the
  /// offset, counted in 16 bits, and has the value while the field is set.
  @inlinable @_lifetime(copy structure)
  public init(_ structure: StructBuilder, _ index: Int, discriminant offset: Int, is value: UInt16)
  {
    self.structure = structure
    self.index = index
    discriminantOffset = offset
    discriminant = value
  }

  /// Whether the field leads somewhere; a member of a union, only while it is the one set.
  public var isSet: Bool { isSelected && structure.hasPointer(index) }

  /// Makes the field null and erases what it led to; selects a member of a union.
  public func clear() {
    select()
    structure.pointer(index).clear()
  }

  /// The pointer without its type, null: to lead it to something of a newer version of the type.
  /// Selects a member of a union.
  @_lifetime(copy self)
  public func initPointer() -> AnyPointerBuilder {
    clear()
    return structure.pointer(index)
  }

  /// Leads the field to the orphan, and erases what it led to before; selects a member of a union.
  ///
  /// - Parameter orphan: of this message: to take an object of another, copy it.
  public func adopt(_ orphan: consuming Orphan<Value>) {
    select()
    structure.pointer(index).adopt(orphan)
  }

  /// Makes the field null and keeps what it led to: nothing where it was null, or is a member of a
  /// union that is not the one set.
  @_lifetime(copy self)
  public func disown() -> Orphan<Value> {
    let pointer = structure.pointer(index).raw
    return Orphan(isSelected ? pointer.detach() : nil, from: pointer)
  }

  private var isSelected: Bool {
    discriminantOffset.map { structure.discriminant($0) == discriminant } ?? true
  }

  private func select() {
    if let offset = discriminantOffset { structure.setDiscriminant(offset, discriminant) }
  }
}
