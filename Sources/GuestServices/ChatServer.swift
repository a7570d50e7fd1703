import CapnProtoRPC
import RemoteSessionSchema
import Synchronization

/// The rooms in which sessions talk.
final class ChatServer: Sendable {
  /// Bounds of what sessions may make the guest hold.
  enum Limit {
    static let textBytes = 1000
    static let roomNameBytes = 32
    static let rooms = 256
    static let roomsOfSession = 16
    static let subscriptionsOfMember = 4
    /// Lines that a listener may leave unanswered before it is given up.
    static let unansweredLines = 64
  }

  private struct State {
    var rooms: [String: ChatRoomServer] = [:]
    var members: [String: Int] = [:]
  }
  private let state = Mutex(State())

  /// The room of the name, with one member more; nil if there are too many rooms.
  func enter(_ name: String) -> ChatRoomServer? {
    state.withLock { state in
      if state.rooms[name] == nil {
        guard state.rooms.count < Limit.rooms else { return nil }
        state.rooms[name] = ChatRoomServer(name)
      }
      state.members[name, default: 0] += 1
      return state.rooms[name]
    }
  }

  /// A member has left the room: the last one closes it.
  func leave(_ name: String) {
    let closed: ChatRoomServer? = state.withLock { state in
      let members = (state.members[name] ?? 1) - 1
      state.members[name] = members > 0 ? members : nil
      return members > 0 ? nil : state.rooms.removeValue(forKey: name)
    }
    withExtendedLifetime(closed) {}
  }
}

/// A room: who listens, and in which order lines are said.
final class ChatRoomServer: Sendable {
  private struct Listening {
    let listener: ChatListener.Client
    var unanswered = 0
  }
  private struct State {
    var lastMember: UInt32 = 0
    var lastSubscription: UInt64 = 0
    var listening: [UInt64: Listening] = [:]
  }
  let name: String
  private let state = Mutex(State())

  init(_ name: String) { self.name = name }

  /// A number for a member who joins.
  func nextMember() -> UInt32 {
    state.withLock { state in
      state.lastMember &+= 1
      return state.lastMember
    }
  }

  func subscribe(_ listener: ChatListener.Client) -> UInt64 {
    state.withLock { state in
      state.lastSubscription += 1
      state.listening[state.lastSubscription] = Listening(listener: listener)
      return state.lastSubscription
    }
  }

  func unsubscribe(_ id: UInt64) {
    let listening = state.withLock { $0.listening.removeValue(forKey: id) }
    withExtendedLifetime(listening) {}
  }

  /// Says a line to every listener. Calls are made under the lock, so that all hear one order.
  func say(_ text: String, account: String, member: UInt32) {
    state.withLock { state in
      for id in state.listening.keys {
        guard let listening = state.listening[id] else { continue }
        guard listening.unanswered < ChatServer.Limit.unansweredLines else {
          Task { self.unsubscribe(id) }
          continue
        }
        state.listening[id]?.unanswered += 1
        let call = listening.listener.line {
          let line = $0.initLine()
          line.room = name
          line.account = account
          line.member = member
          line.text = text
        }
        Task {
          do {
            try await call.finished()
            self.answered(id)
          } catch {
            self.unsubscribe(id)
          }
        }
      }
    }
  }

  private func answered(_ id: UInt64) { state.withLock { $0.listening[id]?.unanswered -= 1 } }
}
