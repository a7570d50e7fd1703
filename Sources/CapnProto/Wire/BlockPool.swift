// Safety. A block belongs to who took it until it is given back: the exchange of a slot's content
// hands it to one thread only, and orders what the giver wrote before what the taker reads.

import Synchronization

/// Blocks of arenas to build in, kept for the next message: their words are zero, so that what is
/// cleared for each message is what the one before has used, and not the whole block.
@safe struct BlockPool: ~Copyable {
  /// First segments that come from the pool. Smaller ones are cheap to allocate.
  static let words = 128...1024

  static let shared = BlockPool()

  // Addresses, or 0. Few, as what is kept here is lost to the rest of the process.
  private let first = Atomic<UInt>(0)
  private let second = Atomic<UInt>(0)

  /// A block with room for the most words, which are zero.
  func take() -> UnsafeMutableRawPointer {
    let address = first.exchange(0, ordering: .acquiring)
    if let block = unsafe UnsafeMutableRawPointer(bitPattern: address) { return unsafe block }
    return unsafe takeSecond()
  }

  @inline(never)
  private func takeSecond() -> UnsafeMutableRawPointer {
    let address = second.exchange(0, ordering: .acquiring)
    return unsafe UnsafeMutableRawPointer(bitPattern: address)
      ?? MessageArena.allocateBlock(words: Self.words.upperBound)
  }

  /// Takes a block back whose words are zero again.
  func give(_ block: UnsafeMutableRawPointer) {
    let address = UInt(bitPattern: block)
    // The block given last is the one that is still in the cache.
    let older = first.exchange(address, ordering: .acquiringAndReleasing)
    if older != 0 { giveSecond(older) }
  }

  @inline(never)
  private func giveSecond(_ address: UInt) {
    let older = second.exchange(address, ordering: .acquiringAndReleasing)
    if let block = unsafe UnsafeMutableRawPointer(bitPattern: older) {
      unsafe MessageArena.deallocateBlock(block)
    }
  }
}
