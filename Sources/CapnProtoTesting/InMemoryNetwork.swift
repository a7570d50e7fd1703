import CapTP
import CapnProto
public import CapnProtoRPC
import Synchronization

/// Connects two vats in one process, without a socket.
///
/// Messages cross as frames, so that nothing but bytes is shared.
public enum InMemoryNetwork {
  /// Two ends of one connection.
  ///
  /// - Parameters:
  ///   - client: the bootstrap capability of the client's vat.
  ///   - server: the bootstrap capability of the server's vat.
  ///   - limits: what each end may make the other hold.
  ///   - observers: are told what happens at the client's end.
  ///   - serverObservers: are told what happens at the server's end.
  /// - Returns: the client's end and the server's end, both open.
  public static func connect(
    client: Capability? = nil, server: Capability?, limits: ConnectionLimits = ConnectionLimits(),
    observers: [any ConnectionObserver] = [], serverObservers: [any ConnectionObserver] = []
  ) -> (client: RPCConnection, server: RPCConnection) {
    let here = InMemoryTransport()
    let there = InMemoryTransport()
    let first = RPCConnection(
      bootstrap: client, limits: limits, transport: here, executor: TurnQueue(),
      observers: observers)
    let second = RPCConnection(
      bootstrap: server, limits: limits, transport: there, executor: TurnQueue(),
      observers: serverObservers)
    here.open(to: second)
    there.open(to: first)
    return (first, second)
  }
}

/// Carries messages to a connection of the same process.
final class InMemoryTransport: MessageTransport {
  private let peer = Mutex<RPCConnection?>(nil)
  private let turns = TurnQueue()

  func open(to connection: RPCConnection) { peer.withLock { $0 = connection } }

  func send(_ message: Ref<Message.Reader>) {
    let frame = message.flattened()
    turns.execute {
      let peer = self.peer.withLock { $0 }
      if let message = try? MessageReader(flat: frame) { peer?.receive(message) }
    }
  }

  func close() {
    turns.execute {
      let peer = self.peer.withLock { peer in
        defer { peer = nil }
        return peer
      }
      peer?.disconnect(.disconnected("the peer closed the connection"))
    }
  }
}
