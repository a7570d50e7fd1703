// The algorithms of `Sequence` that give values: views cannot be the elements of one.

extension ListReader where Element: InlineElement & ~Escapable {
  /// Calls the body with each element, in order.
  @inlinable
  public func forEach<Failure>(_ body: (Element) throws(Failure) -> Void) throws(Failure) {
    for index in indices { try body(self[index]) }
  }

  /// Returns an array of the results of the body, which is called with each element, in order.
  @inlinable
  public func map<Value, Failure>(
    _ transform: (Element) throws(Failure) -> Value
  ) throws(Failure) -> [Value] {
    var values: [Value] = []
    for index in indices { values.append(try transform(self[index])) }
    return values
  }

  /// Returns an array of the results of the body that are not nil.
  @inlinable
  public func compactMap<Value, Failure>(
    _ transform: (Element) throws(Failure) -> Value?
  ) throws(Failure) -> [Value] {
    var values: [Value] = []
    for index in indices {
      if let value = try transform(self[index]) { values.append(value) }
    }
    return values
  }

  /// Returns the first element that satisfies the predicate, or nil where none does.
  @inlinable @_lifetime(copy self)
  public func first<Failure>(
    where predicate: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Element? {
    guard let index = try firstIndex(where: predicate) else { return nil }
    return self[index]
  }

  /// Returns the index of the first element that satisfies the predicate, or nil where none does.
  @inlinable
  public func firstIndex<Failure>(
    where predicate: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Int? {
    for index in indices where try predicate(self[index]) { return index }
    return nil
  }

  /// Returns a Boolean value that indicates whether an element satisfies the predicate.
  @inlinable
  public func contains<Failure>(
    where predicate: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    try firstIndex(where: predicate) != nil
  }

  /// Returns a Boolean value that indicates whether every element satisfies the predicate.
  @inlinable
  public func allSatisfy<Failure>(
    _ predicate: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    for index in indices where try !predicate(self[index]) { return false }
    return true
  }

  /// Returns the result of combining the elements, in order.
  @inlinable
  public func reduce<Result, Failure>(
    _ initial: Result, _ combine: (Result, Element) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var result = initial
    for index in indices { result = try combine(result, self[index]) }
    return result
  }

  /// Returns the value that the body updates with each element, in order.
  @inlinable
  public func reduce<Result, Failure>(
    into initial: Result, _ update: (inout Result, Element) throws(Failure) -> Void
  ) throws(Failure) -> Result {
    var result = initial
    for index in indices { try update(&result, self[index]) }
    return result
  }
}

// What an element that lies behind a pointer throws, and what the body throws, have no type in common.
extension ListReader where Element: PointerElement & ~Escapable {
  /// Calls the body with each element, in order.
  @inlinable
  public func forEach(_ body: (Element) throws -> Void) throws {
    for index in indices { try body(try self[index]) }
  }

  /// Returns an array of the results of the body, which is called with each element, in order.
  @inlinable
  public func map<Value>(_ transform: (Element) throws -> Value) throws -> [Value] {
    var values: [Value] = []
    for index in indices { values.append(try transform(try self[index])) }
    return values
  }

  /// Returns an array of the results of the body that are not nil.
  @inlinable
  public func compactMap<Value>(_ transform: (Element) throws -> Value?) throws -> [Value] {
    var values: [Value] = []
    for index in indices {
      if let value = try transform(try self[index]) { values.append(value) }
    }
    return values
  }

  /// Returns the first element that satisfies the predicate, or nil where none does.
  @inlinable @_lifetime(copy self)
  public func first(where predicate: (Element) throws -> Bool) throws -> Element? {
    guard let index = try firstIndex(where: predicate) else { return nil }
    return try self[index]
  }

  /// Returns the index of the first element that satisfies the predicate, or nil where none does.
  @inlinable
  public func firstIndex(where predicate: (Element) throws -> Bool) throws -> Int? {
    for index in indices where try predicate(try self[index]) { return index }
    return nil
  }

  /// Returns a Boolean value that indicates whether an element satisfies the predicate.
  @inlinable
  public func contains(where predicate: (Element) throws -> Bool) throws -> Bool {
    try firstIndex(where: predicate) != nil
  }

  /// Returns a Boolean value that indicates whether every element satisfies the predicate.
  @inlinable
  public func allSatisfy(_ predicate: (Element) throws -> Bool) throws -> Bool {
    for index in indices where try !predicate(try self[index]) { return false }
    return true
  }

  /// Returns the result of combining the elements, in order.
  @inlinable
  public func reduce<Result>(
    _ initial: Result, _ combine: (Result, Element) throws -> Result
  ) throws -> Result {
    var result = initial
    for index in indices { result = try combine(result, try self[index]) }
    return result
  }

  /// Returns the value that the body updates with each element, in order.
  @inlinable
  public func reduce<Result>(
    into initial: Result, _ update: (inout Result, Element) throws -> Void
  ) throws -> Result {
    var result = initial
    for index in indices { try update(&result, try self[index]) }
    return result
  }
}

extension ListReader where Element: PrimitiveElement {
  /// The elements as an array.
  @inlinable public var array: [Element] { map { $0 } }
}

extension ListReader where Element: PrimitiveElement & Equatable {
  /// Returns a Boolean value that indicates whether the list has the element.
  @inlinable
  public func contains(_ element: Element) -> Bool { contains { $0 == element } }
}

extension ListReader where Element == TextReader {
  /// Returns a Boolean value that indicates whether a text of the list has the bytes of the string.
  @inlinable
  public func contains(_ string: String) throws(DecodingError) -> Bool {
    for index in indices where try self[index] == string { return true }
    return false
  }
}
