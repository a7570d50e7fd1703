import CapnProto
import CapnProtoRPC
import RemoteSessionSchema
import Synchronization

/// Chat as one session holds it: it speaks as that session's account.
final class ChatSpeaker: Chat.Server {
  private let session: SessionContext
  private let chat: ChatServer
  private let memberships = Mutex(0)

  init(_ session: SessionContext, _ chat: ChatServer) {
    self.session = session
    self.chat = chat
  }

  func join(_ call: Chat.JoinCall) async throws {
    let name = try call.params.room.string
    let isPlain = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }
    guard isPlain, !name.isEmpty, name.utf8.count <= ChatServer.Limit.roomNameBytes else {
      call.reply {
        $0.initDenial().deny(
          .badRoomName,
          "a room's name has 1 to \(ChatServer.Limit.roomNameBytes) letters a-z, digits, hyphens")
      }
      return
    }
    guard beginMembership() else {
      call.reply {
        $0.initDenial().deny(
          .tooManyRooms,
          "a session is in at most \(ChatServer.Limit.roomsOfSession) rooms at once; leave one")
      }
      return
    }
    guard let room = chat.enter(name) else {
      endMembership()
      call.reply { $0.initDenial().deny(.tooManyRooms, "there are too many rooms") }
      return
    }
    call.reply { $0.room = .server(ChatMember(session, room, chat, of: self)) }
  }

  private func beginMembership() -> Bool {
    memberships.withLock { count in
      guard count < ChatServer.Limit.roomsOfSession else { return false }
      count += 1
      return true
    }
  }

  fileprivate func endMembership() { memberships.withLock { $0 -= 1 } }
}

/// A session's membership in a room; it ends with the last reference to it.
final class ChatMember: ChatRoom.Server {
  private let session: SessionContext
  private let room: ChatRoomServer
  private let chat: ChatServer
  private let speaker: ChatSpeaker
  private let number: UInt32
  private let subscriptions = Mutex(0)

  init(
    _ session: SessionContext, _ room: ChatRoomServer, _ chat: ChatServer, of speaker: ChatSpeaker
  ) {
    self.speaker = speaker
    self.session = session
    self.room = room
    self.chat = chat
    number = room.nextMember()
  }

  deinit {
    chat.leave(room.name)
    speaker.endMembership()
  }

  func send(_ call: ChatRoom.SendCall) async throws {
    let text = try call.params.text.string
    guard !text.isEmpty else {
      call.reply { $0.initDenial().deny(.emptyText, "a line has at least one character") }
      return
    }
    guard text.utf8.count <= ChatServer.Limit.textBytes else {
      call.reply {
        $0.initDenial().deny(
          .textTooLong, "a line has at most \(ChatServer.Limit.textBytes) bytes of UTF-8")
      }
      return
    }
    room.say(text, account: session.account, member: number)
  }

  func subscribe(_ call: ChatRoom.SubscribeCall) async throws {
    guard let listener = try call.params.listener else {
      throw RPCError.failed("there is no listener to call")
    }
    let mayAdd = subscriptions.withLock { count in
      guard count < ChatServer.Limit.subscriptionsOfMember else { return false }
      count += 1
      return true
    }
    guard mayAdd else {
      call.reply {
        $0.initDenial().deny(
          .tooManySubscriptions,
          "a member has at most \(ChatServer.Limit.subscriptionsOfMember) subscriptions")
      }
      return
    }
    let subscription = ChatSubscriptionServer(self, room, room.subscribe(listener))
    call.reply { $0.subscription = .server(subscription) }
  }

  fileprivate func subscriptionEnded() { subscriptions.withLock { $0 -= 1 } }
}

/// A listener in a room; it ends with the last reference to it.
final class ChatSubscriptionServer: ChatSubscription.Server {
  private let member: ChatMember
  private let room: ChatRoomServer
  private let id: UInt64

  init(_ member: ChatMember, _ room: ChatRoomServer, _ id: UInt64) {
    self.member = member
    self.room = room
    self.id = id
  }

  deinit {
    room.unsubscribe(id)
    member.subscriptionEnded()
  }
}

extension ChatDenial.Builder {
  fileprivate func deny(_ reason: ChatDenial.Reason, _ text: String) {
    self.reason = reason
    self.text = text
  }
}
