/// Who may use the generated code, in the words that declarations begin with.
///
/// Bodies of public members are compiled where they are used: a schema has far more members than a
/// program uses, and each costs about as much to compile as a function written by hand.
struct Access {
  /// In front of a declaration.
  let visible: String
  /// In front of a member whose body other modules compile themselves.
  let body: String
  /// In front of a member that protocols require: other modules may inline it.
  let inlinable: String
  /// In front of a type whose layout does not change.
  let frozen: String
  /// In front of a stored value that bodies refer to.
  let stored: String

  static let `public` = Access(
    visible: "public ", body: "@export(implementation) public ", inlinable: "@inlinable public ",
    frozen: "@frozen public ", stored: "@usableFromInline ")
  static let `internal` = Access(visible: "", body: "", inlinable: "", frozen: "", stored: "")
}
