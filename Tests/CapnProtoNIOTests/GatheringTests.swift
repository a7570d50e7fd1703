import CapTP
import CapnProto
import Testing

@testable import CapnProtoNIO

@Suite struct GatheringTests {
  @Test func `what the peer works on is written early, and then seldom`() {
    var gathering = Gathering()
    var due: [Int] = []
    for number in 1...200 where gathering.add(isAwaited: true) {
      due.append(number)
      gathering.written(atEnd: false)
    }
    #expect(due == [4, 20, 84, 148])
  }

  @Test func `a peer that is awake need not be woken early`() {
    var gathering = Gathering()
    func due() -> [Int] {
      defer { gathering.written(atEnd: true) }
      return (1...100).filter { _ in
        let isDue = gathering.add(isAwaited: true)
        if isDue { gathering.written(atEnd: false) }
        return isDue
      }
    }
    gathering.isPeerAwake = true
    #expect(due() == [24, 88])
    gathering.isPeerAwake = false
    #expect(due() == [4, 20, 84])
  }

  @Test func `each turn begins anew`() {
    var gathering = Gathering()
    for _ in 1...4 { _ = gathering.add(isAwaited: true) }
    gathering.written(atEnd: false)
    for _ in 1...3 { _ = gathering.add(isAwaited: true) }
    gathering.written(atEnd: true)
    let due = (1...4).map { _ in gathering.add(isAwaited: true) }
    #expect(due == [false, false, false, true])
  }

  @Test func `what lets go of something makes no write due`() {
    var gathering = Gathering()
    let due = (1...100).filter { _ in gathering.add(isAwaited: false) }
    #expect(due.isEmpty)
    #expect(!gathering.isDue)
  }

  @Test func `a write is due until it is done`() {
    var gathering = Gathering()
    let due = (1...6).map { _ in gathering.add(isAwaited: true) }
    #expect(due == [false, false, false, true, true, true])
    #expect(gathering.isDue)
    gathering.written(atEnd: false)
    #expect(!gathering.isDue)
  }

  @Test func `the peer waits for all messages but Finish and Release`() throws {
    func isAwaited(_ body: (Message.Builder) -> Void) throws -> Bool {
      let message = MessageBuilder()
      message.build(Message.Builder.self, body)
      return try SharedMessage(message.freeze()).isAwaited
    }
    #expect(try !isAwaited { $0.initFinish().questionId = 1 })
    #expect(try !isAwaited { $0.initRelease().id = 1 })
    #expect(try isAwaited { _ = $0.initCall() })
    #expect(try isAwaited { _ = $0.initReturn() })
    #expect(try isAwaited { _ = $0.initBootstrap() })
    #expect(try isAwaited { _ = $0.initResolve() })
    #expect(try isAwaited { _ = $0.initDisembargo() })
  }
}
