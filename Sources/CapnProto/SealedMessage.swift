/// A message under construction that nothing can touch, so that it may go to another task.
///
/// A ``MessageBuilder`` hands out views that write; while it is sealed there are none.
public struct SealedMessage: ~Copyable, Sendable {
  private let owner: ArenaOwner

  /// Seals the message.
  public init(_ message: consuming MessageBuilder) {
    message.releaseErased()
    owner = message.owner
  }

  /// Opens the message again, to go on building it.
  public consuming func open() -> MessageBuilder { MessageBuilder(owner: owner) }
}
