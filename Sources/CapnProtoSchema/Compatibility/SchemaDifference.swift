/// A difference between two versions of a schema.
public struct SchemaDifference: Hashable, Sendable {
  /// The declaration and member, as `Person.phones`, by the names that the old version has; those
  /// of the new one for what is added.
  public let path: String
  /// What differs.
  public let kind: Kind
  /// What it breaks.
  public let effect: Effect

  /// What a difference breaks.
  public enum Effect: String, Hashable, Sendable, Comparable {
    /// Nothing.
    case none
    /// Source that uses the generated code; messages are understood as before.
    case source
    /// Messages between programs of the two versions.
    case wire

    /// Whether the one breaks less.
    public static func < (one: Effect, other: Effect) -> Bool { one.rank < other.rank }

    private var rank: Int {
      switch self {
      case .none: 0
      case .source: 1
      case .wire: 2
      }
    }
  }

  /// What may differ.
  public enum Kind: Hashable, Sendable {
    case added
    case removed
    case renamed(to: String)
    /// The declaration of this name has another id.
    case idChanged(from: UInt64, to: UInt64)
    /// The declaration is of another kind: a struct, an enum, an interface.
    case kindChanged
    case movedToScope(String)
    /// The member of this name has another number.
    case renumbered(from: Int, to: Int)
    case typeChanged(from: String, to: String)
    /// The list's elements are structs that start with what they were before.
    case listUpgraded(from: String, to: String)
    /// Any value of the old type is one of the new: AnyPointer, Data, or a type parameter.
    case typeWidened(from: String, to: String)
    case defaultChanged
    /// The field lies elsewhere in the struct.
    case offsetChanged(from: Int, to: Int)
    /// The field went into a group, or another one.
    case movedToGroup
    /// The field became the first member of a new union.
    case movedToUnion
    /// The field went into a union that was there, out of one, or beside another old field.
    case unionChanged
    /// A union's discriminant lies elsewhere.
    case discriminantMoved
    case parameterAdded(String)
    case parameterRemoved(String)
    case superclassAdded
    case superclassRemoved
    case valueChanged
  }

  init(_ path: String, _ kind: Kind, _ effect: Effect) {
    self.path = path
    self.kind = kind
    self.effect = effect
  }
}

extension SchemaDifference: CustomStringConvertible {
  /// The difference in words.
  public var description: String {
    "\(path): \(kind) (\(effect == .none ? "compatible" : "breaks the \(effect.rawValue)"))"
  }
}

extension SchemaDifference.Kind: CustomStringConvertible {
  /// The kind in words.
  public var description: String {
    func hex(_ id: UInt64) -> String { "0x" + String(id, radix: 16) }
    return switch self {
    case .added: "added"
    case .removed: "removed"
    case .renamed(let name): "renamed to '\(name)'"
    case .idChanged(let old, let new): "the id changed from \(hex(old)) to \(hex(new))"
    case .kindChanged: "it is another kind of declaration"
    case .movedToScope(let scope): "moved to '\(scope)'"
    case .renumbered(let old, let new): "the number changed from \(old) to \(new)"
    case .typeChanged(let old, let new): "the type changed from \(old) to \(new)"
    case .listUpgraded(let old, let new): "the list of \(old) became one of structs, \(new)"
    case .typeWidened(let old, let new): "the type \(old) was widened to \(new)"
    case .defaultChanged: "the default changed"
    case .offsetChanged(let old, let new): "the offset changed from \(old) to \(new)"
    case .movedToGroup: "moved between groups"
    case .movedToUnion: "became the first member of a new union"
    case .unionChanged: "moved into, out of, or within a union"
    case .discriminantMoved: "the union's discriminant moved"
    case .parameterAdded(let name): "type parameter '\(name)' added"
    case .parameterRemoved(let name): "type parameter '\(name)' removed"
    case .superclassAdded: "superclass added"
    case .superclassRemoved: "superclass removed"
    case .valueChanged: "the value changed"
    }
  }

  /// The kind in one word, for programs.
  public var word: String {
    switch self {
    case .added: "added"
    case .removed: "removed"
    case .renamed: "renamed"
    case .idChanged: "idChanged"
    case .kindChanged: "kindChanged"
    case .movedToScope: "movedToScope"
    case .renumbered: "renumbered"
    case .typeChanged: "typeChanged"
    case .listUpgraded: "listUpgraded"
    case .typeWidened: "typeWidened"
    case .defaultChanged: "defaultChanged"
    case .offsetChanged: "offsetChanged"
    case .movedToGroup: "movedToGroup"
    case .movedToUnion: "movedToUnion"
    case .unionChanged: "unionChanged"
    case .discriminantMoved: "discriminantMoved"
    case .parameterAdded: "parameterAdded"
    case .parameterRemoved: "parameterRemoved"
    case .superclassAdded: "superclassAdded"
    case .superclassRemoved: "superclassRemoved"
    case .valueChanged: "valueChanged"
    }
  }
}
