// Safety. Holds one count of the arena's references, taken in `init` and given up in `deinit`. An
// arena goes to the pool only if that count is the only one: no `Ref` keeps it, and views depend on
// the owner. The header's word for the arena is a reference that is not counted; moved out of a copy of
// that word it is the count that is held here.
// `@unchecked Sendable` answers for the arena, for the reason given there.

/// Owns a message's arena, and keeps it for another message once this one is gone.
///
/// Who shares the arena keeps it longer: then it is freed by the last of them.
@safe @usableFromInline
@frozen struct ArenaOwner: ~Copyable, @unchecked Sendable {
  /// The arena's, at hand without a step through the arena.
  @usableFromInline let header: ArenaPointer

  init(_ arena: MessageArena) {
    unsafe header = Unmanaged.passRetained(arena).takeUnretainedValue().head
  }

  @inlinable deinit { giveUp() }

  @usableFromInline @inline(never)
  func giveUp() {
    var arena = unsafe Self.takeCount(header)
    if arena.isReusable, isKnownUniquelyReferenced(&arena) { MessageArena.keep(consume arena) }
  }

  var arena: MessageArena { unsafe header.pointee.owner.takeUnretainedValue() }

  /// The arena, for whoever keeps it from here on: it is not kept for another message.
  consuming func intoArena() -> MessageArena {
    let arena = unsafe Self.takeCount(header)
    discard self
    return arena
  }

  /// The count that the owner holds, as a reference. `takeRetainedValue` would add one and give up
  /// one, which for a small message costs as much as all else here.
  private static func takeCount(_ header: ArenaPointer) -> MessageArena {
    let word = unsafe header.pointee.owner
    return unsafe withUnsafePointer(to: word) {
      unsafe UnsafeMutablePointer(
        mutating: UnsafeRawPointer($0).assumingMemoryBound(to: MessageArena.self)
      ).move()
    }
  }

  /// Calls the body with the arena, which is not counted for that.
  func with<Value>(_ body: (MessageArena) -> Value) -> Value {
    unsafe header.pointee.owner._withUnsafeGuaranteedRef(body)
  }

  /// Whether nothing else keeps the arena.
  var isOnlyOne: Bool {
    var arena = unsafe Self.takeCount(header)
    defer { _ = unsafe Unmanaged.passRetained(arena) }
    return isKnownUniquelyReferenced(&arena)
  }
}
