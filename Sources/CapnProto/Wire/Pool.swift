// Safety. A thing belongs to who took it until it is given back: the exchange of a slot's content
// hands it to one thread only, and orders what the giver wrote before what the taker reads.

import Synchronization

/// Memory that is kept for the next message. Few, as what is kept here is lost to the rest of the
/// process.
@safe struct Pool: ~Copyable {
  // Addresses, or 0.
  private let first = Atomic<UInt>(0)
  private let second = Atomic<UInt>(0)

  /// What was given last, if there is any.
  func take() -> UnsafeMutableRawPointer? {
    let address = first.exchange(0, ordering: .acquiring)
    if let found = unsafe UnsafeMutableRawPointer(bitPattern: address) { return unsafe found }
    return unsafe takeSecond()
  }

  @inline(never)
  private func takeSecond() -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: second.exchange(0, ordering: .acquiring))
  }

  /// Keeps the thing.
  ///
  /// - Returns: what there is no more room for, which is the caller's again.
  func give(_ thing: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    // What is given last is what is still in the cache.
    let older = first.exchange(UInt(bitPattern: thing), ordering: .acquiringAndReleasing)
    return older == 0 ? nil : unsafe giveSecond(older)
  }

  @inline(never)
  private func giveSecond(_ address: UInt) -> UnsafeMutableRawPointer? {
    let older = second.exchange(address, ordering: .acquiringAndReleasing)
    return unsafe UnsafeMutableRawPointer(bitPattern: older)
  }
}
