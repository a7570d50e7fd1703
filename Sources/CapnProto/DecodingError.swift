/// What is wrong with a message that was received.
///
/// Every pointer in a message is checked when it is followed, so a hostile or damaged message
/// yields one of these and never a trap or a read outside the message. The encoding specification,
/// "Security Considerations", lists what must be checked.
public enum DecodingError: Error, Hashable, Sendable {
  /// A pointer leads outside its segment.
  case pointerOutOfBounds
  /// A far pointer names a segment that the message does not have.
  case unknownSegment(id: UInt32)
  /// The landing pad of a far pointer lies outside its segment, or holds no valid pointer.
  case invalidLandingPad
  /// The tag of an inline-composite list is no struct pointer, or the list is larger than its words.
  case invalidListTag
  /// A pointer of another kind was expected.
  case unexpectedPointer(expected: PointerKind, found: PointerKind)
  /// The elements of a list cannot be read as the type that the schema has.
  case incompatibleList(expected: ElementSize, found: ElementSize)
  /// A text does not end with a NUL byte.
  case textNotTerminated
  /// More words were read than `ReaderLimits.traversalWords` allows.
  case traversalLimitExceeded
  /// Pointers are nested deeper than `ReaderLimits.nestingDepth` allows.
  case nestingLimitExceeded
  /// The message has no segment, or an empty first one, so that it has no root.
  case missingRoot
  /// There is a capability in what is to be brought into canonical form.
  case capabilityInCanonicalForm
  /// What is to be brought into canonical form has more words than one segment can have.
  case tooLargeForOneSegment
}

/// The kind of object that a pointer leads to.
public enum PointerKind: Hashable, Sendable {
  /// A struct.
  case structure
  /// A list of any element size.
  case list
  /// A capability, by index into the message's capability table.
  case capability
  /// A pointer that leads to another segment.
  case far
}

extension DecodingError: CustomStringConvertible {
  /// The error in words.
  public var description: String {
    switch self {
    case .pointerOutOfBounds: "a pointer leads outside its segment"
    case .unknownSegment(let id): "a far pointer names segment \(id), which the message lacks"
    case .invalidLandingPad: "a far pointer leads to an invalid landing pad"
    case .invalidListTag: "the tag of a struct list is invalid"
    case .unexpectedPointer(let expected, let found): "expected a \(expected), found a \(found)"
    case .incompatibleList(let expected, let found):
      "a list of \(found) elements cannot be read as a list of \(expected) elements"
    case .textNotTerminated: "a text does not end with a NUL byte"
    case .traversalLimitExceeded:
      "the message was read past the traversal limit, ReaderLimits.traversalWords"
    case .nestingLimitExceeded:
      "the message is nested past the nesting limit, ReaderLimits.nestingDepth"
    case .missingRoot: "the message has no root"
    case .capabilityInCanonicalForm: "a capability has no canonical form"
    case .tooLargeForOneSegment: "the canonical form is too large for one segment"
    }
  }
}
