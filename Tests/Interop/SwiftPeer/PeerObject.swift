import CapnProto
import CapnProtoRPC
import Synchronization

/// The bootstrap object of one connection.
final class PeerObject: Peer.Server {
  private let census: Census
  private let connection: RPCConnection
  private let held = Mutex<Callback.Client?>(nil)

  init(_ census: Census, _ connection: RPCConnection) {
    self.census = census
    self.connection = connection
  }

  // MARK: Values

  func echo(_ call: EchoCall) async throws {
    try call.reply { try $0.setValues(call.params.values) }
  }

  func mirror(_ call: MirrorCall) async throws {
    try call.reply { try writeMirror(of: call.params.values, to: $0.initValues()) }
  }

  func echoData(_ call: EchoDataCall) async throws {
    try call.reply { try $0.setData(call.params.data.bytes) }
  }

  // MARK: Capabilities of the server

  func newCounter(_ call: NewCounterCall) async throws {
    let counter = try Counter.Client.server(CounterObject(census, start: call.params.start))
    call.reply { $0.counter = counter }
  }

  func newCounters(_ call: NewCountersCall) async throws {
    let count = try call.params.count
    guard count <= 1000 else { throw RPCError.failed("at most 1000 counters") }
    call.reply {
      let counters = $0.initCounters(Int(count))
      for index in counters.indices {
        counters[index] = .server(CounterObject(census, start: Int64(index)))
      }
    }
  }

  func newNamedCounter(_ call: NewNamedCounterCall) async throws {
    let counter = try NamedCounterObject(
      census, name: call.params.name.string, start: call.params.start)
    call.reply { $0.counter = .server(counter) }
  }

  func newNode(_ call: NewNodeCall) async throws {
    let name = try call.params.name.string
    let delay = try call.params.afterMilliseconds
    let node = try await NodeObject.make(census, named: name, after: delay)
    call.reply { $0.node = node }
  }

  func newSequence(_ call: NewSequenceCall) async throws {
    call.reply { $0.sequence = .server(SequenceObject(census)) }
  }

  func newSink(_ call: NewSinkCall) async throws {
    call.reply { $0.sink = .server(SinkObject(census)) }
  }

  func newNotes(_ call: NewNotesCall) async throws {
    let notes = try call.params.texts.map { try NoteObject.make(census, $0.string) }
    call.reply {
      let list = $0.initNotes(notes.count)
      for (index, note) in notes.enumerated() { list[index] = note }
    }
  }

  func lateNote(_ call: LateNoteCall) async throws {
    let text = try call.params.text.string
    let delay = try call.params.afterMilliseconds
    let (promise, resolver) = Capability.promise()
    call.reply { $0.note = promise.cast() }
    Task { [census] in
      try await Task.sleep(for: .milliseconds(delay))
      resolver.resolve(Capability(try NoteObject.make(census, text)))
    }
  }

  func readNotes(_ call: ReadNotesCall) async throws {
    let notes = try call.params.notes.map { $0 }
    var texts: [String] = []
    for note in notes { texts.append(try await note.described()) }
    call.reply {
      let list = $0.initTexts(texts.count)
      for (index, text) in texts.enumerated() { list[index] = text }
    }
  }

  func find(_ call: FindCall) async throws {
    let name = try call.params.name.string
    call.reply {
      switch name {
      case "counter":
        $0.capability = Capability(Counter.Client.server(CounterObject(census, start: 0)))
      case "namedCounter":
        let object = NamedCounterObject(census, name: name, start: 0)
        $0.capability = Capability(NamedCounter.Client.server(object))
      case "sequence":
        $0.capability = Capability(Sequence.Client.server(SequenceObject(census)))
      default: break
      }
    }
  }

  func liveObjects(_ call: LiveObjectsCall) async throws {
    call.reply { $0.count = UInt32(census.liveObjects) }
  }

  // MARK: Capabilities of the client

  func callBack(_ call: CallBackCall) async throws {
    let callback = try given(call.params.callback)
    var sum: Int64 = 0
    for n in 0..<(try call.params.times) {
      sum &+= try await callback.call { $0.n = Int64(n) }.results { $0.n }
    }
    call.reply { $0.sum = sum }
  }

  func forward(_ call: ForwardCall) async throws {
    let callback = try given(call.params.callback)
    let n = try call.params.n
    let answer = try await callback.call { $0.n = n }.results()
    call.reply { $0.n = answer.reader.n }
  }

  func hold(_ call: HoldCall) async throws {
    let callback = try given(call.params.callback)
    replaceHeld(with: callback)
  }

  func callHeld(_ call: CallHeldCall) async throws {
    let callback = try holding()
    let n = try call.params.n
    let answer = try await callback.call { $0.n = n }.results()
    call.reply { $0.n = answer.reader.n }
  }

  func returnHeld(_ call: ReturnHeldCall) async throws {
    let callback = try holding()
    call.reply { $0.callback = callback }
  }

  func dropHeld(_ call: DropHeldCall) async throws { replaceHeld(with: nil) }

  func echoSequence(_ call: EchoSequenceCall) async throws {
    let sequence = try call.params.sequence
    call.reply { $0.sequence = sequence }
  }

  func sumCounters(_ call: SumCountersCall) async throws {
    let counters = try call.params.counters.map { $0 }
    let calls = counters.map { $0.value() }
    var sum: Int64 = 0
    for value in calls { sum &+= try await value.results { $0.value } }
    call.reply { $0.sum = sum }
  }

  // MARK: Failure and time

  func fail(_ call: FailCall) async throws {
    throw try RPCError(call.params.kind.errorKind, call.params.reason.string)
  }

  func never(_ call: NeverCall) async throws {
    defer { census.callCancelled() }
    while true { try await Task.sleep(for: .seconds(3600)) }
  }

  func cancelledCalls(_ call: CancelledCallsCall) async throws {
    call.reply { $0.count = UInt32(census.cancelledCalls) }
  }

  func newPromise(_ call: NewPromiseCall) async throws {
    let (promise, resolver) = Capability.promise()
    call.reply {
      $0.counter = promise.cast()
      $0.resolver = .server(ResolverObject(census, resolver))
    }
  }

  func disconnect(_ call: DisconnectCall) async throws {
    connection.close()
    while true { try await Task.sleep(for: .seconds(3600)) }
  }

  // MARK: What is held

  private func given(_ callback: Callback.Client?) throws -> Callback.Client {
    guard let callback else { throw RPCError.failed("the callback is null") }
    return callback
  }

  private func holding() throws -> Callback.Client {
    guard let callback = held.withLock({ $0 }) else { throw RPCError.failed("nothing is held") }
    return callback
  }

  private func replaceHeld(with callback: Callback.Client?) {
    // The one before is let go of outside of the lock.
    let before = held.withLock { held in
      defer { held = callback }
      return held
    }
    withExtendedLifetime(before) {}
  }
}
