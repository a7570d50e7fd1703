public import CapnProto

/// What is wrong with a schema that was loaded, and where.
public struct SchemaError: Error, Hashable, Sendable {
  /// The id of the node.
  public let node: UInt64
  /// The node's name for people; empty where it could not be read.
  public let name: String
  /// The field, enumerant, method or annotation of the node; nil where the node itself is meant.
  public let member: String?
  /// What is wrong.
  public let problem: Problem

  /// A problem of a node or one of its members.
  public init(node: UInt64, name: String, member: String? = nil, problem: Problem) {
    self.node = node
    self.name = name
    self.member = member
    self.problem = problem
  }

  /// The kinds of mistakes that a loader refuses.
  public enum Problem: Error, Hashable, Sendable {
    /// The message that carries the node is damaged.
    case damaged(CapnProto.DecodingError)
    /// The node, a type or a value is of a kind that this version does not know.
    case unknownKind(UInt16)
    /// The id is zero, or a name is empty.
    case unnamed
    /// The prefix of the display name is longer than the name.
    case prefixTooLong
    /// Another node with this id says something else.
    case conflictingNode
    /// Two members have the same name.
    case duplicateName(String)
    /// Two members have the same place in the source, or one has a place past the last.
    case invalidCodeOrder(UInt16)
    /// Two fields have the same number.
    case duplicateOrdinal(UInt16)
    /// The field lies outside of the sections of the struct.
    case fieldOutsideStruct(offset: UInt32)
    /// The field lies where another one does, and they are not members of one union.
    case overlappingField
    /// The union's discriminant lies outside of the data section.
    case discriminantOutsideStruct(offset: UInt32)
    /// A union has fewer than two members, or another count than it says.
    case unionMemberCount(says: UInt16, has: Int)
    /// A field's discriminant is not below the union's count, or another field has it too.
    case invalidDiscriminant(UInt16)
    /// The default or constant is not of its type.
    case valueOfOtherType
    /// A type, scope, group, superclass or parameter struct refers to a node that is not there.
    case missingNode(UInt64)
    /// A reference leads to a node of another kind than it says.
    case nodeOfOtherKind(UInt64, expected: String)
    /// A group is not of this struct: it has another parent, other sections, or two fields name it.
    case foreignGroup(UInt64)
    /// The scopes, groups or superclasses of the node lead back to it.
    case cycle
    /// A type parameter is not one of its scope.
    case invalidParameter(scope: UInt64, index: UInt16)
    /// A type parameter is bound to a type that is no pointer.
    case parameterNotPointer
    /// A type, with all its bindings, the scopes or the superclasses are more than the loader
    /// follows.
    case nestedTooDeep
  }
}

extension SchemaError: CustomStringConvertible {
  /// The error in words, with the id and the name of the node.
  public var description: String {
    let id = "0x" + String(node, radix: 16)
    let place = name.isEmpty ? id : "\(name) (\(id))"
    return "\(place)\(member.map { ", '\($0)'" } ?? ""): \(problem)"
  }
}

extension SchemaError.Problem: CustomStringConvertible {
  /// The problem in words.
  public var description: String {
    func hex(_ id: UInt64) -> String { "0x" + String(id, radix: 16) }
    return switch self {
    case .damaged(let error): "the message is damaged: \(error)"
    case .unknownKind(let number): "it is of kind \(number), which is not known"
    case .unnamed: "it has no id or no name"
    case .prefixTooLong: "the prefix of its name is longer than the name"
    case .conflictingNode: "another node with this id was loaded, and differs"
    case .duplicateName(let name): "two members are called '\(name)'"
    case .invalidCodeOrder(let order): "no member, or no other one, may have place \(order)"
    case .duplicateOrdinal(let number): "two fields have number \(number)"
    case .fieldOutsideStruct(let offset): "offset \(offset) lies outside of the struct"
    case .overlappingField: "it lies where another field does"
    case .discriminantOutsideStruct(let offset):
      "the discriminant's offset \(offset) lies outside of the struct"
    case .unionMemberCount(let says, let has):
      "the union says that it has \(says) members, and has \(has); it needs two or more"
    case .invalidDiscriminant(let value): "no other member may have discriminant \(value)"
    case .valueOfOtherType: "the value is not of the type"
    case .missingNode(let id): "node \(hex(id)) is not there"
    case .nodeOfOtherKind(let id, let expected): "node \(hex(id)) is no \(expected)"
    case .foreignGroup(let id): "\(hex(id)) is no group of this struct, or one of two fields"
    case .cycle: "it leads back to itself"
    case .invalidParameter(let scope, let index): "\(hex(scope)) has no type parameter \(index)"
    case .parameterNotPointer: "a type parameter is bound to a type that is no pointer"
    case .nestedTooDeep: "it is nested too deep"
    }
  }
}
