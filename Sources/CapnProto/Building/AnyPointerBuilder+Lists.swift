// Lists of Swift values.

/// `Sequence`, by a name that no type of a schema can have.
public typealias _Sequence = Sequence

extension AnyPointerBuilder {
  /// Sets a list of the values.
  public func setList<Element: AssignableElement & ~Escapable>(
    of: Element.Type = Element.self, _ values: some Sequence<Element.ElementValue>
  ) {
    // All of them are taken first: there may be fewer or more than the sequence says, and they may be
    // made of what this replaces.
    let values = Array(values)
    let list = initList(of: Element.self, count: values.count)
    for index in values.indices { Element._setElement(list._list, index, values[index]) }
  }

  /// Sets a list of structs, one for each value: the body builds it.
  public func setList<Element: TypedStructBuilder & ~Escapable, Values: Sequence, Failure>(
    of: Element.Type = Element.self, _ values: Values,
    _ body: (Element, Values.Element) throws(Failure) -> Void
  ) throws(Failure) {
    let values = Array(values)
    let list = initList(of: Element.self, count: values.count)
    for index in values.indices { try body(list[index], values[index]) }
  }
}

extension ListBuilder: AssignableElement where Element: AssignableElement & ~Escapable {
  public typealias ElementValue = [Element.ElementValue]
  /// Writes an element; the index is checked.
  public static func _setElement(
    _ list: AnyListBuilder, _ index: Int, _ value: [Element.ElementValue]
  ) {
    list.pointer(index).setList(of: Element.self, value)
  }
}
