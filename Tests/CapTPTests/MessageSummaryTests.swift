import CapTP
import CapnProto
import Testing

@Suite struct MessageSummaryTests {
  private func summary(_ build: (Message.Builder) -> Void) -> MessageSummary {
    let builder = MessageBuilder()
    builder.build(Message.Builder.self, build)
    return builder.freeze().summary
  }

  private func exported(_ id: UInt32, in payload: Payload.Builder) {
    payload.initCapTable(1)[0].senderHosted = id
  }

  @Test func `each kind of message says what it is about`() {
    let cases: [(String, (Message.Builder) -> Void)] = [
      ("bootstrap 3", { $0.initBootstrap().questionId = 3 }),
      (
        "call 4 0xff.@2 on importedCap 7 [senderHosted 1]",
        {
          let call = $0.initCall()
          call.questionId = 4
          call.interfaceId = 0xff
          call.methodId = 2
          call.initTarget().importedCap = 7
          exported(1, in: call.initParams())
        }
      ),
      (
        "call 5 0x0.@0 on promisedAnswer 4.0.1: sendResultsTo yourself",
        {
          let call = $0.initCall()
          call.questionId = 5
          call.sendResultsTo.setYourself()
          let answer = call.initTarget().initPromisedAnswer()
          answer.questionId = 4
          let steps = answer.initTransform(2)
          for index in steps.indices { steps[index].getPointerField = UInt16(index) }
        }
      ),
      (
        "return 4: results [senderHosted 9]",
        {
          let body = $0.initReturn()
          body.answerId = 4
          exported(9, in: body.initResults())
        }
      ),
      (
        "return 4: exception overloaded \"later\"",
        {
          let body = $0.initReturn()
          body.answerId = 4
          let exception = body.initException()
          exception.type = .overloaded
          exception.reason = "later"
        }
      ),
      ("return 0: canceled", { $0.initReturn().setCanceled() }),
      ("return 0: takeFromOtherQuestion 6", { $0.initReturn().takeFromOtherQuestion = 6 }),
      ("finish 4: releaseResultCaps", { $0.initFinish().questionId = 4 }),
      (
        "resolve 2 [senderPromise 8]",
        {
          let resolve = $0.initResolve()
          resolve.promiseId = 2
          resolve.initCap().senderPromise = 8
        }
      ),
      (
        "release 2: count 3",
        {
          let release = $0.initRelease()
          release.id = 2
          release.referenceCount = 3
        }
      ),
      (
        "disembargo 1 on importedCap 2: senderLoopback",
        {
          let disembargo = $0.initDisembargo()
          disembargo.initTarget().importedCap = 2
          disembargo.context.senderLoopback = 1
        }
      ),
      ("unimplemented: call 4", { $0.initUnimplemented().initCall().questionId = 4 }),
      ("abort: exception failed \"enough\"", { $0.initAbort().reason = "enough" }),
      ("other", { _ = $0.initJoin() }),
    ]
    for (words, build) in cases { #expect(summary(build).description == words) }
  }

  @Test func `a peer can neither make a summary long nor write to a terminal`() {
    let abort = summary {
      $0.initAbort().reason = "\u{1b}[2J\n" + String(repeating: "x", count: 10_000)
    }
    #expect(abort.reason?.hasPrefix(#"\u{1b}[2J\nxxx"#) == true)
    #expect(abort.reason?.utf8.count ?? 0 < 250)
    let call = summary {
      let call = $0.initCall()
      let answer = call.initTarget().initPromisedAnswer()
      let steps = answer.initTransform(5000)
      for index in steps.indices { steps[index].getPointerField = 1 }
      let table = call.initParams().initCapTable(5000)
      for index in table.indices { table[index].senderHosted = UInt32(index) }
    }
    #expect(call.capabilities.count == MessageSummary.capabilityLimit)
    #expect(call.capabilities.last == "4993 more")
    #expect(call.target == "promisedAnswer 0" + String(repeating: ".1", count: 8) + "…")
  }

  @Test func `unimplemented messages in each other are read one deep`() {
    let summary = summary { $0.initUnimplemented().initUnimplemented().initAbort().reason = "x" }
    #expect(summary.description == "unimplemented")
  }

  @Test func `what is no message is invalid`() throws {
    let words: [UInt8] = [0, 0, 0, 0, 1, 0, 0, 0] + [1, 0, 0, 0, 1, 0, 0, 0]
    let list = try MessageReader(flat: words)
    #expect(list.summary.kind == .invalid)
    let none = try MessageReader(flat: [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(none.summary.kind == .invalid)
  }
}
