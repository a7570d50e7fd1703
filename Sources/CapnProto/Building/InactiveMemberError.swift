/// A member of a union was asked for in a builder while it is not the one that is set.
///
/// To build on it would erase the member that is set: `which` of the builder's `reader` tells that one,
/// and an initializer, such as `initSchool()`, or a setter selects another.
public struct InactiveMemberError: Error, Hashable, Sendable {
  /// The name of the member, in the schema.
  public let member: String
  /// The number of the member that is set.
  public let discriminant: UInt16
}

extension InactiveMemberError: CustomStringConvertible {
  /// The error as text.
  public var description: String {
    """
    '\(member)' is not the member of the union that is set, which is the one with the number \
    \(discriminant): initialize or set '\(member)' first
    """
  }
}

extension StructBuilder {
  /// Checks that the member of the union is the one that is set.
  ///
  /// - Parameters:
  ///   - name: the name of the member.
  ///   - index: the place of the union's discriminant, counted in 16 bits.
  ///   - value: the discriminant while the member is set.
  /// - Throws: ``InactiveMemberError`` where another one is set.
  @inlinable
  public func requireMember(
    _ name: StaticString, at index: Int, is value: UInt16
  ) throws(InactiveMemberError) {
    let found = discriminant(index)
    guard found == value else { throw Self.inactive(name, found) }
  }

  @usableFromInline @inline(never)
  static func inactive(_ name: StaticString, _ found: UInt16) -> InactiveMemberError {
    InactiveMemberError(member: "\(name)", discriminant: found)
  }
}
