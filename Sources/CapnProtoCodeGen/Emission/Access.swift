/// Who may use the generated code, in the words that declarations begin with.
///
/// Bodies of public members are compiled where they are used: a schema has far more members than a
/// program uses, and each costs about as much to compile as a function written by hand. That goes for
/// optimizing them too, which the compiler does before it hands a body on. So the bodies that call the
/// runtime once or twice are handed on as they are written, and always become a part of their caller,
/// where they are optimized with it.
struct Access {
  /// In front of a declaration.
  let visible: String
  /// In front of a member whose body other modules compile themselves.
  let body: String
  /// In front of a member whose body calls the runtime once or twice.
  let call: String
  /// In front of such a member if it is as cheap as a load where it is compiled in place.
  let load: String
  /// In front of a member that protocols require: other modules may inline it.
  let inlinable: String
  /// In front of a type whose layout does not change.
  let frozen: String
  /// In front of a stored value that bodies refer to.
  let stored: String

  static let `public` = Access(
    visible: "public ", body: "@export(implementation) public ", call: handedOn, load: handedOn,
    inlinable: "@inlinable public ", frozen: "@frozen public ", stored: "@usableFromInline ")
  static let `internal` = Access(
    visible: "", body: "", call: "", load: "@inline(__always) ", inlinable: "", frozen: "",
    stored: "")

  private static let handedOn = "@_transparent @_optimize(none) @export(implementation) public "

  func member(isInPlace: Bool) -> String { isInPlace ? load : call }
}
