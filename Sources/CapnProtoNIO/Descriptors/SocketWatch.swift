import Dispatch
import NIOCore
import Synchronization

/// Tells when a socket can be read and written, and when a time has come.
///
/// The socket stays open until Dispatch has let go of it.
final class SocketWatch: Sendable {
  private struct State {
    var read: (any DispatchSourceRead)?
    var write: (any DispatchSourceWrite)?
    var isReading = false
    var isWriting = false
    var timer: (any DispatchSourceTimer)?
    var isCancelled = false
  }
  private let state = Mutex(State())

  /// Begins to watch: for reading at once, for writing when it is asked to.
  func start(
    _ socket: UnixSocket, on queue: ConnectionQueue,
    whenReadable: @escaping @Sendable () -> Void, whenWritable: @escaping @Sendable () -> Void
  ) {
    state.withLock { state in
      guard !state.isCancelled else { return }
      let read = DispatchSource.makeReadSource(fileDescriptor: socket.rawValue, queue: queue.queue)
      read.setEventHandler { whenReadable() }
      read.setCancelHandler { withExtendedLifetime(socket) {} }
      let write = DispatchSource.makeWriteSource(
        fileDescriptor: socket.rawValue, queue: queue.queue)
      write.setEventHandler { whenWritable() }
      write.setCancelHandler { withExtendedLifetime(socket) {} }
      state.read = read
      state.write = write
      state.isReading = true
      read.resume()
    }
  }

  var isReading: Bool { state.withLock { $0.isReading } }

  func setReading(_ isReading: Bool) {
    state.withLock { state in
      guard let read = state.read, state.isReading != isReading else { return }
      state.isReading = isReading
      if isReading { read.resume() } else { read.suspend() }
    }
  }

  func setWriting(_ isWriting: Bool) {
    state.withLock { state in
      guard let write = state.write, state.isWriting != isWriting else { return }
      state.isWriting = isWriting
      if isWriting { write.resume() } else { write.suspend() }
    }
  }

  /// Has the body run on the queue when the time has come, in place of what was to run before.
  func schedule(
    at time: NIODeadline, on queue: ConnectionQueue, _ body: @escaping @Sendable () -> Void
  ) {
    let delay = max(0, (time - .now()).nanoseconds)
    state.withLock { state in
      state.timer?.cancel()
      guard !state.isCancelled else { return }
      let timer = DispatchSource.makeTimerSource(queue: queue.queue)
      timer.schedule(deadline: .now() + .nanoseconds(Int(delay)))
      timer.setEventHandler { body() }
      state.timer = timer
      timer.resume()
    }
  }

  /// Ends it. Sources that are suspended must go on, or Dispatch would never let go of them.
  func cancel() {
    state.withLock { state in
      state.read?.cancel()
      if !state.isReading { state.read?.resume() }
      state.write?.cancel()
      if !state.isWriting { state.write?.resume() }
      state.timer?.cancel()
      state = State(isCancelled: true)
    }
  }
}
