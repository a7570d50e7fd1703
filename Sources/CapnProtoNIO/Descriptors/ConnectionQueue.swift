// Safety. A job is taken over once, by `enqueue`, and run once, on the queue. The reference that runs
// it is sound because the closure keeps this object.

import CapnProtoRPC
import Dispatch

/// Runs the work of a connection, and tasks that prefer to run with it, on a queue of Dispatch.
final class ConnectionQueue: ConnectionExecutor, TaskExecutor {
  private static let key = DispatchSpecificKey<ObjectIdentifier>()
  let queue = DispatchQueue(label: "capnp.rpc.connection")

  init() { queue.setSpecific(key: Self.key, value: ObjectIdentifier(self)) }

  func execute(_ work: @escaping @Sendable () -> Void) { queue.async { work() } }

  var isCurrent: Bool { DispatchQueue.getSpecific(key: Self.key) == ObjectIdentifier(self) }

  var taskExecutor: (any TaskExecutor)? { self }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
