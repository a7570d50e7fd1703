// Safety. A job is taken over once, by `enqueue`, and run once, by the event loop. The reference that
// runs it is good because the closure keeps this object.

import CapnProtoRPC
import NIOCore

/// Runs the work of a connection, and tasks that prefer to run with it, on its channel's event loop.
final class EventLoopExecutor: ConnectionExecutor, TaskExecutor {
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func execute(_ work: @escaping @Sendable () -> Void) { eventLoop.execute(work) }

  var isCurrent: Bool { eventLoop.inEventLoop }

  var taskExecutor: (any TaskExecutor)? { self }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
