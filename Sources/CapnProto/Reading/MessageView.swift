/// What is a view of a message: it depends on the message, and cannot leave a closure that reads it.
///
/// Swift takes a closure that ends with a view for one without a result, with no more than a warning. The
/// methods here are chosen for such closures: there the compiler reports that the view escapes, and they
/// say what to return.
public protocol MessageView: ~Escapable {}

extension TextReader: MessageView {}
extension DataReader: MessageView {}
extension AnyPointerReader: MessageView {}
extension AnyListReader: MessageView {}
extension ListReader: MessageView where Element: ~Escapable {}

extension Ref where Reader: ~Escapable {
  /// Does not compile: the result is a view of the message, which cannot leave the closure.
  @available(*, deprecated, message: "return a copy: text.string, data.array, reader.retained()")
  @inlinable
  public func read<View: MessageView & ~Escapable>(_ body: (Reader) throws -> View) throws {
    _ = try body(reader)
  }
}

extension SharedMessage {
  /// Does not compile: the result is a view of the message, which cannot leave the closure.
  @available(*, deprecated, message: "return a copy: text.string, data.array, reader.retained()")
  @inlinable
  public func read<Reader: TypedStructReader & ~Escapable, View: MessageView & ~Escapable>(
    _: Reader.Type = Reader.self, _ body: (Reader) throws -> View
  ) throws {
    _ = try body(root(as: Reader.self))
  }
}

extension MessageReader {
  /// Does not compile: the result is a view of the message, which cannot leave the closure.
  @available(*, deprecated, message: "return a copy: text.string, data.array, reader.retained()")
  @inlinable
  public borrowing func read<
    Reader: TypedStructReader & ~Escapable, View: MessageView & ~Escapable
  >(_: Reader.Type = Reader.self, _ body: (Reader) throws -> View) throws {
    _ = try body(try root(as: Reader.self))
  }
}

extension ListReader where Element: InlineElement & ~Escapable {
  /// Does not compile: the result is a view of the message, which cannot leave the closure.
  @available(*, deprecated, message: "return a copy: text.string, data.array, reader.retained()")
  @inlinable
  public func map<View: MessageView & ~Escapable>(
    _ transform: (Element) throws -> View
  ) throws {
    for index in indices { _ = try transform(self[index]) }
  }
}

extension ListReader where Element: PointerElement & ~Escapable {
  /// Does not compile: the result is a view of the message, which cannot leave the closure.
  @available(*, deprecated, message: "return a copy: text.string, data.array, reader.retained()")
  @inlinable
  public func map<View: MessageView & ~Escapable>(
    _ transform: (Element) throws -> View
  ) throws {
    for index in indices { _ = try transform(try self[index]) }
  }
}
