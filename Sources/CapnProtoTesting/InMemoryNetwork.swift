import CapTP
import CapnProto
public import CapnProtoRPC
import DequeModule
import Synchronization

/// Connects two vats in one process, without a socket.
///
/// Messages cross as frames, so that nothing is shared but bytes, and descriptors if the limits let any
/// come: up to so many with each message.
public enum InMemoryNetwork {
  /// Two ends of one connection.
  ///
  /// - Parameters:
  ///   - client: the bootstrap capability of the client's vat.
  ///   - server: the bootstrap capability of the server's vat.
  ///   - limits: what each end may make the other hold.
  ///   - executor: where both ends and what is between them run; nil for queues of their own.
  ///   - observers: are told what happens at the client's end.
  ///   - serverObservers: are told what happens at the server's end.
  /// - Returns: the client's end and the server's end, both open.
  public static func connect(
    client: Capability? = nil, server: Capability?, limits: ConnectionLimits = ConnectionLimits(),
    on executor: (any ConnectionExecutor)? = nil,
    observers: [any ConnectionObserver] = [], serverObservers: [any ConnectionObserver] = []
  ) -> (client: RPCConnection, server: RPCConnection) {
    let here = InMemoryTransport(limits, executor ?? TurnQueue())
    let there = InMemoryTransport(limits, executor ?? TurnQueue())
    let first = RPCConnection(
      bootstrap: client, limits: limits, transport: here, executor: executor ?? TurnQueue(),
      observers: observers)
    let second = RPCConnection(
      bootstrap: server, limits: limits, transport: there, executor: executor ?? TurnQueue(),
      observers: serverObservers)
    here.open(from: first, to: second, by: there)
    there.open(from: second, to: first, by: here)
    return (first, second)
  }
}

/// Carries messages to a connection of the same process, unless that does not read.
final class InMemoryTransport: MessageTransport {
  private struct Sent {
    let frame: [UInt8]
    let descriptors: [OpenDescriptor]
  }
  private struct State {
    /// Where messages go, and where they come from; nil once the peer has been told that this side
    /// is closed.
    var peer: RPCConnection?
    var own: RPCConnection?
    /// What carries the peer's messages to this side.
    weak var back: InMemoryTransport?
    /// Messages that the peer has not read, oldest first.
    var frames = Deque<Sent>()
    var unreadBytes = 0
    var isRead = true
    var isClosed = false
    /// Whether messages wait for a turn that has been asked for.
    var isScheduled = false
  }
  private let state = Mutex(State())
  private let turns: any ConnectionExecutor
  private let unreadLimit: Int
  private let frameLimits: FrameLimits
  let descriptorLimit: Int

  init(_ limits: ConnectionLimits, _ turns: any ConnectionExecutor) {
    unreadLimit = limits.unwrittenBytes
    frameLimits = limits.frameLimits
    descriptorLimit = max(0, limits.descriptors)
    self.turns = turns
  }

  func open(from own: RPCConnection, to peer: RPCConnection, by back: InMemoryTransport) {
    state.withLock { state in
      state.peer = peer
      state.own = own
      state.back = back
    }
  }

  func send(_ message: SharedMessage, with descriptors: [OpenDescriptor]) -> Bool {
    let frame = message.flattened()
    var unread = Deque<Sent>()
    let (mustSchedule, flooded) = state.withLock { state -> (Bool, RPCConnection?) in
      guard !state.isClosed else { return (false, nil) }
      state.unreadBytes += frame.count
      state.frames.append(
        Sent(frame: frame, descriptors: Array(descriptors.prefix(descriptorLimit))))
      guard state.unreadBytes <= unreadLimit else {
        state.isClosed = true
        swap(&state.frames, &unread)
        return (true, state.own)
      }
      defer { state.isScheduled = true }
      return (!state.isScheduled, nil)
    }
    if let flooded {
      turns.execute { [unread] in
        self.giveUp(flooded)
        // Closes descriptors, for which the caller's lock is not to wait.
        withExtendedLifetime(unread) {}
      }
    }
    if mustSchedule { turns.execute { self.deliver() } }
    return false
  }

  private func deliver() {
    state.withLock { $0.isScheduled = false }
    while let (sent, peer) = next() {
      do {
        let message = try MessageReader(flat: sent.frame, frameLimits: frameLimits)
        peer.receive(message, with: sent.descriptors)
      } catch {
        if case .tooLarge = error { peer.note(.messageWords) }
        peer.abort("a message cannot be read: \(error)")
      }
    }
    let (closed, own) = state.withLock { state -> (RPCConnection?, RPCConnection?) in
      guard state.isClosed, state.frames.isEmpty else { return (nil, nil) }
      defer {
        state.peer = nil
        state.own = nil
      }
      return (state.peer, state.own)
    }
    withExtendedLifetime(own) {}
    closed?.disconnect(.disconnected("the peer closed the connection"))
  }

  private func next() -> (sent: Sent, peer: RPCConnection)? {
    state.withLock { state in
      guard state.isRead, let peer = state.peer, !state.frames.isEmpty else { return nil }
      let sent = state.frames.removeFirst()
      state.unreadBytes -= sent.frame.count
      return (sent, peer)
    }
  }

  private func giveUp(_ own: RPCConnection) {
    own.note(.unwrittenBytes)
    own.disconnect(
      .disconnected("more than \(unreadLimit) bytes wait for the peer to read them"))
  }

  func setReading(_ isReading: Bool) { state.withLock { $0.back }?.setRead(isReading) }

  private func setRead(_ isRead: Bool) {
    state.withLock { $0.isRead = isRead }
    turns.execute { self.deliver() }
  }

  func close() {
    state.withLock { $0.isClosed = true }
    turns.execute { self.deliver() }
  }
}
