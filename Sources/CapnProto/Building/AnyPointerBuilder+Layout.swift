// Structs whose sections are known only at run time, as those of a schema that was loaded are.

extension AnyPointerBuilder {
  /// A new struct of the sections, all zero.
  @_lifetime(copy self)
  public func initStructure(layout: StructLayout) -> StructBuilder {
    StructBuilder(raw: raw.initStructure(layout))
  }

  /// The struct that the pointer leads to, enlarged to the sections; a new one where there is none.
  @_lifetime(copy self)
  public func structure(layout: StructLayout) -> StructBuilder {
    StructBuilder(raw: raw.structure(layout))
  }

  /// A new list of structs of the sections, all zero; nil where it would have more than the
  /// 2^29 - 3 words or the 2^29 - 1 elements that a pointer can describe.
  @_lifetime(copy self)
  public func initStructureList(layout: StructLayout, count: Int) -> AnyListBuilder? {
    guard count >= 0, count < 1 << 29, count * layout.words < RawPointerBuilder.mostWords else {
      return nil
    }
    return AnyListBuilder(raw: raw.initStructureList(layout, count: count))
  }

  /// The list of structs that the pointer leads to, its elements enlarged to the sections; an empty
  /// one where there is none.
  @_lifetime(copy self)
  public func structureList(layout: StructLayout) -> AnyListBuilder {
    AnyListBuilder(raw: raw.structureList(layout))
  }

  /// Copies the list in depth, whatever its elements are.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid; what was copied until then stays.
  public func set(_ source: AnyListReader) throws(DecodingError) { try raw.copyList(source.raw) }
}
