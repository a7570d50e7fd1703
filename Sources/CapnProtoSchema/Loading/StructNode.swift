public import CapnProto

/// A struct or group of a schema.
public final class StructNode: Sendable {
  /// The id of the node.
  public let id: UInt64
  /// The sections; a group has those of the struct that it is part of.
  public let layout: StructLayout
  /// Whether this is a group, and no struct of its own.
  public let isGroup: Bool
  /// Where the discriminant of the unnamed union lies, counted in 16 bits; nil without a union.
  public let discriminantOffset: Int?
  /// In order of their numbers.
  public let fields: [SchemaField]
  /// The indices of the fields that are no members of the unnamed union, in order.
  public let fieldsOutsideUnion: [Int]
  /// The indices of the members of the unnamed union, by discriminant.
  public let unionMembers: [Int]
  private let indices: [String: Int]

  init(_ node: Node.Struct.Reader, node id: UInt64) throws {
    self.id = id
    layout = StructLayout(dataWords: node.dataWordCount, pointers: node.pointerCount)
    isGroup = node.isGroup
    let list = try node.fields
    var fields: [SchemaField] = []
    for index in list.indices {
      let field = list[index]
      do {
        fields.append(try SchemaField(field, owner: id, index: index))
      } catch let problem as SchemaError.Problem {
        throw MemberProblem(member: (try? field.name.string) ?? "field \(index)", problem)
      } catch let error as CapnProto.DecodingError {
        throw MemberProblem(
          member: (try? field.name.string) ?? "field \(index)", .damaged(error))
      }
    }
    try fields.map(\.name).checkNames()
    try fields.map(\.codeOrder).checkCodeOrder()
    var indices: [String: Int] = [:]
    for field in fields { indices[field.name] = field.index }
    self.indices = indices
    self.fields = fields
    fieldsOutsideUnion = fields.indices.filter { fields[$0].discriminant == nil }
    let count = fields.count - fieldsOutsideUnion.count
    guard count == Int(node.discriminantCount), count != 1 else {
      throw SchemaError.Problem.unionMemberCount(says: node.discriminantCount, has: count)
    }
    var members = [Int?](repeating: nil, count: count)
    for field in fields {
      if let layoutProblem = field.problem(in: layout) {
        throw MemberProblem(member: field.name, layoutProblem)
      }
      guard let discriminant = field.discriminant else { continue }
      guard Int(discriminant) < members.count, members[Int(discriminant)] == nil else {
        throw MemberProblem(member: field.name, .invalidDiscriminant(discriminant))
      }
      members[Int(discriminant)] = field.index
    }
    unionMembers = members.compactMap { $0 }
    if members.isEmpty {
      discriminantOffset = nil
    } else {
      guard node.discriminantOffset < UInt32(layout.dataWords) * 4 else {
        throw SchemaError.Problem.discriminantOutsideStruct(offset: node.discriminantOffset)
      }
      discriminantOffset = Int(node.discriminantOffset)
    }
  }

  /// The field with the name; nil where there is none.
  public func field(_ name: String) -> SchemaField? { indices[name].map { fields[$0] } }
}

extension StructNode: Equatable {
  /// Whether both say the same.
  public static func == (one: StructNode, other: StructNode) -> Bool {
    one === other
      || one.id == other.id && one.layout == other.layout && one.isGroup == other.isGroup
        && one.discriminantOffset == other.discriminantOffset && one.fields == other.fields
  }
}

/// A field of a struct or group.
public struct SchemaField: Equatable, Sendable {
  /// The struct or group that has the field.
  public let owner: UInt64
  /// The place among the fields of the struct or group.
  public let index: Int
  /// The name.
  public let name: String
  /// The place in the source.
  public let codeOrder: UInt16
  /// The number in the source; nil for groups and parameters.
  public let ordinal: UInt16?
  /// The union's discriminant while the field is set; nil for fields outside of the unnamed union.
  public let discriminant: UInt16?
  /// The annotations of the field.
  public let annotations: [SchemaAnnotation]
  /// A place in the struct, or a group.
  public let kind: Kind

  /// What a field is.
  public enum Kind: Equatable, Sendable {
    /// A place in the struct.
    case slot(Slot)
    /// Fields of the same struct under a name; the id of their node.
    case group(UInt64)
  }

  /// A place in a struct.
  public struct Slot: Equatable, Sendable {
    /// Counted in the size of the type, from the start of the data or pointer section.
    public let offset: Int
    /// The type.
    public let type: SchemaType
    /// The value where the message has zero or null.
    public let defaultValue: SchemaValue
    /// Whether the source has the default.
    public let hasExplicitDefault: Bool
  }

  init(_ field: Field.Reader, owner: UInt64, index: Int) throws {
    self.owner = owner
    self.index = index
    name = try field.name.string
    codeOrder = field.codeOrder
    discriminant = field.discriminantValue == 0xffff ? nil : field.discriminantValue
    annotations = try SchemaAnnotation.all(field.annotations)
    switch try field.ordinal.which {
    case .explicit(let number): ordinal = number
    default: ordinal = nil
    }
    switch try field.which {
    case .slot(let slot):
      let type = try SchemaType(try slot.type)
      let value = try slot.defaultValue
      let defaultValue = try SchemaValue(value)
      guard defaultValue.fits(type) else { throw SchemaError.Problem.valueOfOtherType }
      kind = .slot(
        Slot(
          offset: Int(slot.offset), type: type, defaultValue: defaultValue,
          hasExplicitDefault: slot.hadExplicitDefault))
    case .group(let group): kind = .group(group.typeId)
    case .unknown(let number): throw SchemaError.Problem.unknownKind(number)
    }
  }

  /// Where the field does not fit the sections, the reason.
  func problem(in layout: StructLayout) -> SchemaError.Problem? {
    guard case .slot(let slot) = kind else { return nil }
    let outside = SchemaError.Problem.fieldOutsideStruct(
      offset: UInt32(truncatingIfNeeded: slot.offset))
    guard let bits = slot.type.dataBits else {
      return slot.offset < Int(layout.pointers) ? nil : outside
    }
    // Void has no bits, and its offset means nothing.
    return bits == 0 || (slot.offset + 1) * bits <= Int(layout.dataWords) * 64 ? nil : outside
  }
}

/// A problem of a member, before it is known whose.
struct MemberProblem: Error {
  let member: String
  let problem: SchemaError.Problem

  init(member: String, _ problem: SchemaError.Problem) {
    self.member = member
    self.problem = problem
  }
}
