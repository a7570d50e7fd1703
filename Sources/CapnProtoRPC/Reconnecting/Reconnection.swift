// Calls go to the *promise* of the connection's object: a queued capability, which keeps them in order
// while the connection is being made, and is the object afterwards. For each connection there is a
// promise of its own. A call takes the promise of the moment, and so is made on one connection or on
// none.
//
// Making a connection is a task, which does not keep this object. What it finds counts only while its
// promise is the one of the moment, or has calls although this object is gone.

import CapTP
import Synchronization

/// Where the calls of a client go that reconnects.
final class Reconnection: Sendable {
  private struct State {
    var status = ReconnectingClient.State.idle
    /// Where calls go; nil while no call has needed a connection.
    var promise: QueuedCapability?
    var connection: RPCConnection?
    /// Makes the connection; once that is there, watches the object.
    var task: Task<Void, Never>?
    var watchers: [ObjectIdentifier: CapabilityWatcher] = [:]
    var readers: [UInt64: AsyncStream<ReconnectingClient.State>.Continuation] = [:]
    var lastReader: UInt64 = 0

    var failure: RPCError? { if case .closed(let error) = status { error } else { nil } }

    mutating func become(_ status: ReconnectingClient.State) {
      self.status = status
      for reader in readers.values { reader.yield(status) }
    }
  }
  private let state = Mutex(State())
  private let policy: ReconnectPolicy
  private let attempt: ConnectionAttempt

  init(_ policy: ReconnectPolicy, _ attempt: ConnectionAttempt) {
    self.policy = policy
    self.attempt = attempt
  }

  deinit {
    let (task, isConnected, readers) = state.withLock { state in
      (state.task, state.connection != nil, state.readers)
    }
    // What watches the object keeps it.
    if isConnected { task?.cancel() }
    for reader in readers.values { reader.finish() }
  }

  // MARK: For references

  /// Where a call goes that is made now.
  func target() -> any CallTarget {
    while true {
      let (promise, failure) = state.withLock { state -> (QueuedCapability?, RPCError?) in
        if let failure = state.failure { return (nil, failure) }
        if state.promise == nil { begin(&state, after: nil) }
        return (state.promise, nil)
      }
      if let failure { return BrokenCapability(failure) }
      guard let promise else { continue }
      guard case .broken(let error) = promise.status(notifying: nil) else { return promise }
      // Lost, and nobody has noticed yet.
      lose(promise, error)
    }
  }

  var callTimeout: Duration? { state.withLock { $0.promise }?.callTimeout }

  func status(notifying watcher: CapabilityWatcher?) -> CapabilityStatus {
    let failure = state.withLock { state in
      if state.failure == nil, let watcher { state.watchers[ObjectIdentifier(watcher)] = watcher }
      return state.failure
    }
    if let failure { return .broken(failure) }
    watcher?.whenForgotten { [weak self, id = watcher.map { ObjectIdentifier($0) }] in
      guard let id else { return }
      _ = self?.state.withLock { $0.watchers.removeValue(forKey: id) }
    }
    return .settled
  }

  // MARK: For the client

  var current: ReconnectingClient.State { state.withLock { $0.status } }

  func states() -> AsyncStream<ReconnectingClient.State> {
    let (stream, reader) = AsyncStream.makeStream(
      of: ReconnectingClient.State.self, bufferingPolicy: .bufferingNewest(64))
    let (id, isOver) = state.withLock { state in
      reader.yield(state.status)
      state.lastReader += 1
      if state.failure == nil { state.readers[state.lastReader] = reader }
      return (state.lastReader, state.failure != nil)
    }
    if isOver { reader.finish() }
    reader.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.readers.removeValue(forKey: id) }
    }
    return stream
  }

  /// Ends it all: each call fails with the error. Only the first time counts.
  func end(_ error: RPCError) { end(error, of: nil) }

  // MARK: The connection

  /// Starts to make a connection, with a new promise.
  private func begin(_ state: inout State, after delay: Duration?) {
    let promise = QueuedCapability(limit: policy.queuedCalls)
    state.promise = promise
    if delay == nil { state.become(.connecting(attempt: 1)) }
    let (attempt, policy) = (attempt, policy)
    state.task = Task.detached { [weak self] in
      // For calls that wait when there will be no connection.
      defer { promise.resolve(BrokenCapability(.disconnected("the client was let go of"))) }
      var count = 0
      var delay = delay
      // Calls that wait are seen through even if nobody holds the client any more.
      while self != nil || promise.isWaitedFor {
        if let delay { guard (try? await attempt.sleep(delay)) != nil else { return } }
        count += 1
        self?.note(.connecting(attempt: count), promise)
        do {
          let (connection, object) = try await attempt.run()
          if let self {
            self.connected(promise, connection, object)
          } else {
            promise.resolve(object.target)
          }
          return
        } catch {
          if Task.isCancelled { return }
          let error = error as? RPCError ?? .failed("cannot connect: \(error)")
          guard policy.retries(error), count < policy.attemptLimit else {
            self?.end(error, of: promise)
            promise.resolve(BrokenCapability(error))
            return
          }
          let next = policy.delay(after: count, random: .random(in: 0...1))
          self?.note(.waiting(attempt: count, error: error, delay: next), promise)
          delay = next
        }
      }
    }
  }

  private func note(_ status: ReconnectingClient.State, _ promise: QueuedCapability) {
    state.withLock { state in
      // The first one is noted by who starts the task.
      if state.promise === promise, state.failure == nil, state.status != status {
        state.become(status)
      }
    }
  }

  /// The peer has given its object.
  private func connected(
    _ promise: QueuedCapability, _ connection: RPCConnection, _ object: Capability
  ) {
    let isWanted = state.withLock { state in
      guard state.promise === promise, state.failure == nil else { return false }
      state.connection = connection
      state.task = Task.detached { [weak self] in
        if let error = try? await object.whenBroken() { self?.lose(promise, error) }
      }
      state.become(.connected)
      return true
    }
    if isWanted { promise.resolve(object.target) } else { connection.close() }
  }

  /// The object, mostly with its connection, is gone.
  private func lose(_ promise: QueuedCapability, _ error: RPCError) {
    guard policy.retries(error) else {
      end(error, of: promise)
      return
    }
    let connection = state.withLock { state -> RPCConnection? in
      guard state.promise === promise, state.failure == nil else { return nil }
      let connection = state.connection
      state.promise = nil
      state.connection = nil
      state.task = nil
      switch policy.trigger {
      case .call: state.become(.idle)
      case .loss:
        let delay = policy.delay(after: 1, random: .random(in: 0...1))
        state.become(.waiting(attempt: 0, error: error, delay: delay))
        begin(&state, after: delay)
      }
      return connection
    }
    connection?.close()
  }

  /// Ends it all, unless the promise is not the one of the moment any more; nil for whichever is.
  private func end(_ error: RPCError, of promise: QueuedCapability?) {
    let ended = state.withLock { state -> State? in
      guard state.failure == nil, promise == nil || state.promise === promise else { return nil }
      state.become(.closed(error))
      defer {
        state.promise = nil
        state.connection = nil
        state.task = nil
        state.watchers = [:]
        state.readers = [:]
      }
      return state
    }
    guard let ended else { return }
    ended.task?.cancel()
    ended.promise?.resolve(BrokenCapability(error))
    ended.connection?.close()
    for watcher in ended.watchers.values { watcher.referenceChanged() }
    for reader in ended.readers.values { reader.finish() }
  }
}
