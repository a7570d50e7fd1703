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
    /// When the connection was made.
    var connected = ContinuousClock.now
    /// Attempts that failed and connections that did not last, in a row.
    var setbacks = 0
    /// The last loss, and when an attempt may be made after it.
    var loss: (error: RPCError, next: ContinuousClock.Instant)?
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
    let (task, connection, readers) = state.withLock { state in
      (state.task, state.connection, state.readers)
    }
    if let connection {
      // What watches the object keeps it.
      task?.cancel()
      connection.closeOnceUnused()
    }
    for reader in readers.values { reader.finish() }
  }

  // MARK: For references

  /// Where a call goes that is made now.
  func target() -> any CallTarget {
    while true {
      let (promise, failure) = state.withLock { state -> (QueuedCapability?, RPCError?) in
        if let failure = state.failure { return (nil, failure) }
        if state.promise == nil { begin(&state) }
        return (state.promise, nil)
      }
      if let failure { return BrokenCapability(failure) }
      guard let promise else { continue }
      guard case .broken(let error) = promise.status(notifying: nil) else { return promise }
      // Lost, and nobody has noticed yet.
      lose(promise, error)
    }
  }

  /// While there is no connection, nobody knows what its own limits will be.
  var callTimeout: Duration? {
    policy.callTimeout ?? state.withLock { $0.promise }?.callTimeout
  }

  var streamLimits: StreamLimits {
    state.withLock { $0.promise }?.streamLimits ?? StreamLimits()
  }

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
  private func begin(_ state: inout State) {
    let promise = QueuedCapability(limit: policy.queuedCalls)
    state.promise = promise
    var delay: Duration?
    if let (error, next) = state.loss, next > .now {
      let wait = next - .now
      state.become(.waiting(attempt: 0, error: error, delay: wait))
      delay = wait
    } else {
      state.become(.connecting(attempt: 1))
    }
    let (attempt, policy, setbacks, firstDelay) = (attempt, policy, state.setbacks, delay)
    state.task = Task.detached { [weak self] in
      // For calls that wait when there will be no connection.
      defer { promise.resolve(BrokenCapability(.disconnected("the client was let go of"))) }
      var count = 0
      var delay = firstDelay
      // Calls that wait are seen through even if nobody holds the client any more.
      while self != nil || promise.isWaitedFor {
        if let delay { guard (try? await attempt.sleep(delay)) != nil else { return } }
        count += 1
        self?.note(.connecting(attempt: count), promise)
        do {
          let (connection, object) = try await attempt.run()
          if let self {
            self.connected(promise, connection, object, setbacks: setbacks + count - 1)
          } else {
            promise.resolve(object.target)
            connection.closeOnceUnused()
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
          let next = policy.delay(after: setbacks + count, random: .random(in: 0...1))
          promise.noteDelay(error)
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
    _ promise: QueuedCapability, _ connection: RPCConnection, _ object: Capability, setbacks: Int
  ) {
    let isWanted = state.withLock { state in
      guard state.promise === promise, state.failure == nil else { return false }
      state.connection = connection
      state.connected = .now
      state.setbacks = setbacks
      state.task = Task.detached { [weak self] in
        if let error = await Self.end(of: object, behind: connection) {
          self?.lose(promise, error)
        }
      }
      state.become(.connected)
      return true
    }
    if isWanted { promise.resolve(object.target) } else { connection.close() }
  }

  /// Waits until the object or its connection is gone: one that this process has made of what the
  /// connection brought may outlive it.
  ///
  /// - Returns: why; nil if the task is cancelled before.
  private static func end(
    of object: Capability, behind connection: RPCConnection
  ) async -> RPCError? {
    await withTaskGroup(of: RPCError?.self) { group in
      group.addTask { try? await object.whenBroken() }
      group.addTask { try? await connection.closed() }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
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
      let now = ContinuousClock.now
      // A peer that gives its object and then closes is as good as one that cannot be reached.
      let hasLasted = now - state.connected >= policy.maximumDelay
      state.setbacks = hasLasted ? 0 : state.setbacks + 1
      // A call that comes after one loss need not wait: what is wrong may have been this connection.
      let waits = policy.trigger == .call ? state.setbacks - 1 : max(state.setbacks, 1)
      let delay = policy.delay(after: waits, random: .random(in: 0...1))
      state.loss = waits > 0 ? (error, now + delay) : nil
      switch policy.trigger {
      case .call: state.become(.idle)
      case .loss: begin(&state)
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

extension RPCConnection {
  /// Closes the connection once neither side holds or waits for anything of the other.
  ///
  /// How often that is looked at bounds how long it stays open for nothing.
  fileprivate func closeOnceUnused() {
    Task.detached {
      while self.isUsed { try? await Task.sleep(for: .milliseconds(100)) }
      self.close()
    }
  }

  private var isUsed: Bool {
    var sizes = tableSizes
    // They stay when the connection is over.
    sizes.nodes = 0
    return sizes != TableSizes()
  }
}
