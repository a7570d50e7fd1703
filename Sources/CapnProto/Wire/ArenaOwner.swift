// Safety. Holds one count of the arena's references, taken in `init` and given up in `deinit`. An
// arena goes to the pool only if that count is the only one: no `Ref` keeps it, and views depend on
// the owner. `@unchecked Sendable` for the reason that the arena is.

/// Owns a message's arena, and keeps it for another message once this one is gone.
///
/// Who shares the arena keeps it longer: then it is freed by the last of them.
@safe @usableFromInline
@frozen struct ArenaOwner: ~Copyable, @unchecked Sendable {
  /// The arena's, at hand without a step through the arena.
  @usableFromInline let header: ArenaPointer

  init(_ arena: MessageArena) {
    unsafe header = Unmanaged.passRetained(arena).takeUnretainedValue().header
  }

  @inlinable deinit { giveUp() }

  @usableFromInline @inline(never)
  func giveUp() {
    var arena = unsafe header.pointee.owner.takeRetainedValue()
    if arena.isReusable, isKnownUniquelyReferenced(&arena) { MessageArena.keep(consume arena) }
  }

  var arena: MessageArena { unsafe header.pointee.owner.takeUnretainedValue() }

  /// Whether nothing else keeps the arena.
  var isOnlyOne: Bool {
    var arena = unsafe header.pointee.owner.takeRetainedValue()
    defer { _ = unsafe Unmanaged.passRetained(arena) }
    return isKnownUniquelyReferenced(&arena)
  }
}
