// Safety. The function that is looked up is the address sanitizer's, which takes nothing and returns a
// number (`sanitizer/allocator_interface.h`).

import CapnProtoTesting
import Glibc
import Synchronization

extension FuzzTarget {
  /// The largest factor between what a message may cost and its size.
  private static let largestFactor = 8
  /// What a message may cost whatever its size, and each capability in it.
  private static let allowance = (bytes: 65_536, capability: 1024)

  /// A vat gets a message that the bytes make, at the entry point that the first byte names.
  func spend(_ bytes: [UInt8]) {
    let entries = MessageCost.EntryPoint.allCases
    guard let first = bytes.first else { return }
    let cost = MessageCost.measure(
      entries[Int(first) % entries.count], choices: bytes.dropFirst().prefix(256),
      allocatedBytes: Self.allocatedBytes, processorTime: { .zero })
    let allowed = Self.largestFactor * cost.messageBytes + Self.allowance.bytes
    require(
      cost.memory <= allowed + cost.capabilities * Self.allowance.capability,
      "what a message makes a vat hold is in proportion to its size")
    require(
      cost.sentBytes <= allowed, "what a message makes a vat send is in proportion to its size")
  }

  /// Whether nothing else runs in the process, so that memory that is taken meanwhile is the message's.
  static let isAlone = Atomic(false)

  /// Returns the number of bytes that are allocated; 0 where other things run, or the address sanitizer, which
  /// counts them, is not there.
  private static let allocatedBytes: @Sendable () -> Int = {
    typealias Count = @convention(c) () -> Int
    guard let symbol = unsafe dlsym(nil, "__sanitizer_get_current_allocated_bytes") else {
      return { 0 }
    }
    let count = unsafe unsafeBitCast(symbol, to: Count.self)
    return { isAlone.load(ordering: .relaxed) ? count() : 0 }
  }()
}
