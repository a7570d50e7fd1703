import NIOCore
import Synchronization

/// Those connections that are on one event loop.
final class LoopCrowd: Sendable {
  private static let crowds = Mutex<[ObjectIdentifier: LoopCrowd]>([:])

  private let count = Atomic(0)

  private init() {}

  /// Whether there is one connection.
  var isOne: Bool { count.load(ordering: .relaxed) == 1 }

  /// The crowd of the channel's event loop, which the channel belongs to until it is closed.
  static func join(_ channel: any Channel) -> LoopCrowd {
    let loop = ObjectIdentifier(channel.eventLoop)
    let crowd = crowds.withLock { crowds in
      let crowd = crowds[loop] ?? LoopCrowd()
      crowds[loop] = crowd
      crowd.count.add(1, ordering: .relaxed)
      return crowd
    }
    channel.closeFuture.whenComplete { _ in leave(loop) }
    return crowd
  }

  private static func leave(_ loop: ObjectIdentifier) {
    crowds.withLock { crowds in
      let left = crowds[loop]?.count.subtract(1, ordering: .relaxed).newValue
      if left == 0 { crowds[loop] = nil }
    }
  }
}
