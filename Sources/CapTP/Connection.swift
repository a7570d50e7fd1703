// One connection of a vat, as a state machine without input, output, clock or lock: events go in
// through the mutating methods, effects and messages are pulled out with `nextEffect` and
// `nextMessage`. Nothing is called back, so no event sees another half-way.
//
// What refers to a capability behind the connection is a *node*: a slot that says where calls on it
// go now (`NodeState`). Handles that the runtime holds, promises that resolved to another node, and
// calls in flight keep a node; the last one to go releases the import or finishes the question.
//
// Four rules keep E-order (calls on one capability arrive in the order in which they were made):
// - A node changes its way from the peer to this side at most behind an embargo.
// - Calls that cannot go yet wait in the node's queue, and all of them go before any later one.
// - The peer's calls, and the disembargoes among them, are *steps*: one is taken only when the
//   runtime has done what the ones before it asked for (`nextEffect`).
// - What the peer has been told that a promise is, by `Return` or `Resolve`, is where its calls on
//   that promise go for good, even if it turns out to be something else in turn (`pinned`).

public import CapnProto
import DequeModule

/// One connection between two vats: levels 0 and 1 of rpc.capnp, without a transport.
public struct Connection: ~Copyable, Sendable {
  /// Marks the references of this connection.
  public let token = ConnectionToken()
  let limits: ConnectionLimits
  /// What the peer gets when it asks for the bootstrap interface.
  public var bootstrapHook: (any CapabilityHook)?
  let makeHandle: HandleMaker
  /// The descriptor that goes along with a capability of this side; nil if the transport carries none.
  let descriptorOf: DescriptorLookup?
  /// The time, as the runtime tells it: only for people who look at the tables.
  let clock: @Sendable () -> Duration

  var questions = SlotTable<QuestionID, Question>()
  var answers = PeerTable<AnswerID, Answer>()
  var exports = SlotTable<ExportID, Export>()
  var exportIDs: [ExportKey: ExportID] = [:]
  var imports = PeerTable<ImportID, Import>()
  var embargoes = SlotTable<EmbargoID, Embargo>()
  var nodes = SlotTable<NodeID, Node>()

  var queuedCalls = 0
  var callsSent = 0
  var callsReceived = 0
  var limitsReached: [ConnectionLimit: Int] = [:]
  /// Where own calls are that did not go out at once, by caller, as long as they can be dropped.
  var waiting: [ObjectIdentifier: CallPlace] = [:]
  /// Words of the peer's calls that were handed on and have no outcome.
  var wordsInFlight = 0
  /// Words of the peer's calls among the steps.
  var wordsInSteps = 0
  /// Words of the peer's calls that are held back.
  var wordsHeld = 0
  /// Ends of embargoes among what is held back.
  var liftsHeld = 0
  /// Steps that disembargoes were compared with since something is held back.
  var heldLookedAt = 0
  /// Calls that end because of another one, and whether they are being worked off.
  var endings = Deque<Ending>()
  var isEnding = false
  /// Entries that nothing needs any more because of another one, and whether they are being worked off.
  var unneeded = Deque<Unneeded>()
  var isReleasing = false
  var serial: UInt64 = 0
  /// Why the connection is over, once it is.
  public internal(set) var failure: RPCError?

  private var messages = UniqueDeque<SharedMessage>()
  var descriptors = DescriptorTable()
  /// What is to be done, oldest first.
  var steps = UniqueDeque<Step>()
  /// Calls that nodes have led to capabilities of this side: they go before any step.
  var released = Deque<Step>()
  /// Calls of the peer over the limit of words, and what follows them. They go before other steps
  /// of their kind.
  var held = Deque<Step>()

  /// A connection that has just been made.
  ///
  /// - Parameters:
  ///   - bootstrap: the capability that the peer gets when it asks for the bootstrap interface.
  ///   - limits: what the peer may make this side hold.
  ///   - clock: tells how long ago something was, against a start of its own choice.
  ///   - descriptorOf: the descriptor of a capability that the peer is given; nil if the transport
  ///     carries none. It must not ask another connection, whose lock may be held.
  ///   - makeHandle: makes the runtime's reference to a node; it is kept by whoever holds it.
  public init(
    bootstrap: (any CapabilityHook)?, limits: ConnectionLimits = ConnectionLimits(),
    clock: @escaping @Sendable () -> Duration = { .zero }, descriptorOf: DescriptorLookup? = nil,
    makeHandle: @escaping HandleMaker
  ) {
    bootstrapHook = bootstrap
    self.limits = limits
    self.clock = clock
    self.descriptorOf = descriptorOf
    self.makeHandle = makeHandle
  }

  /// The next message to send, oldest first.
  public mutating func nextMessage() -> SharedMessage? {
    guard let message = messages.popFirst() else { return nil }
    if descriptorOf != nil { descriptors.messageLeft() }
    return message
  }

  mutating func emit(_ effect: consuming Effect) { steps.append(.effect(effect)) }

  mutating func nextSerial() -> UInt64 {
    serial += 1
    return serial
  }

  /// Sends a message that the body fills in.
  ///
  /// - Parameters:
  ///   - words: the number of words that most such messages need.
  ///   - body: builds the message.
  mutating func send(words: Int = 32, _ body: (Message.Builder) -> Void) {
    let builder = MessageBuilder(firstSegmentWords: words)
    builder.build(Message.Builder.self, body)
    send(builder)
  }

  /// Sends a message that is built.
  mutating func send(_ builder: consuming MessageBuilder) {
    if let message = shared(builder) { send(message) }
  }

  /// Checks that a message is not longer than what may be sent to the peer, which would end the connection
  /// over it.
  ///
  /// - Parameters:
  ///   - message: the message, without the descriptors of its capabilities.
  ///   - name: what it is, for the error.
  /// - Returns: the error, or nil.
  @inline(__always)
  mutating func oversize(_ message: borrowing MessageBuilder, _ name: String) -> RPCError? {
    // A descriptor takes two words, and some more where it names a path in an answer.
    let words = message.words(perCapability: 16) + 16
    guard _slowPath(words > limits.sentMessageWords) else { return nil }
    return oversize(words, name)
  }

  @inline(never)
  private mutating func oversize(_ words: Int, _ name: String) -> RPCError {
    note(.sentMessageWords)
    return .failed(
      "\(name) would need a message of about \(words) words, more than the "
        + "\(limits.sentMessageWords) that ConnectionLimits.sentMessageWords allows")
  }

  /// The error as it is sent to the peer: without its text and details if they are too long.
  func sendable(_ error: RPCError) -> RPCError {
    var bytes = error.reason.utf8.count + (error.trace?.utf8.count ?? 0)
    for detail in error.details { bytes += detail.bytes.count + 32 }
    guard bytes / 8 + 32 > limits.sentMessageWords else { return error }
    return RPCError(error.kind, "the error's text is longer than a message to the peer may be")
  }

  /// The message as it is sent. What this side has built has a root that is a struct.
  mutating func shared(_ builder: consuming MessageBuilder) -> SharedMessage? {
    let message = try? SharedMessage(builder.freeze())
    if message == nil { descriptors.messageWasBuilt(isSent: false) }
    return message
  }

  mutating func send(_ message: consuming SharedMessage) {
    if failure == nil { messages.append(message) } else { emit(.discardMessage(message)) }
    if descriptorOf != nil { descriptors.messageWasBuilt(isSent: failure == nil) }
  }

  /// How many entries the tables hold: all zero once nothing is in use.
  public var tableSizes: TableSizes {
    TableSizes(
      questions: questions.count, answers: answers.count, exports: exports.count,
      imports: imports.count, embargoes: embargoes.count, nodes: nodes.count)
  }
}

/// Entries in the tables of a connection.
public struct TableSizes: Hashable, Sendable {
  /// Calls to the peer.
  public var questions = 0
  /// Calls of the peer.
  public var answers = 0
  /// Capabilities that the peer holds.
  public var exports = 0
  /// Capabilities of the peer that this side holds.
  public var imports = 0
  /// Embargoes that wait for the peer.
  public var embargoes = 0
  /// References to capabilities behind the connection.
  public var nodes = 0

  /// Sizes of empty tables.
  public init() {}

  init(
    questions: Int, answers: Int, exports: Int, imports: Int, embargoes: Int, nodes: Int
  ) {
    self.questions = questions
    self.answers = answers
    self.exports = exports
    self.imports = imports
    self.embargoes = embargoes
    self.nodes = nodes
  }
}
