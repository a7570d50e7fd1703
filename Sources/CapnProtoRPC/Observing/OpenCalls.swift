/// A call of a peer that is handed to its object.
public struct ServedCall: Hashable, Sendable {
  /// The connection that it came over.
  public let connection: ConnectionNumber
  /// Its question, as `MessageSummary.id` of its `Call`.
  public let question: UInt32
}

/// A message with the connection and the way that it went: an event, or the record of one.
package protocol PassedMessage {
  var connection: ConnectionNumber { get }
  var direction: MessageEvent.Direction { get }
  var message: MessageSummary { get }
}

extension MessageEvent: PassedMessage {}
extension TraceRecord: PassedMessage {}

/// What an observer keeps for the calls that messages belong to, from the call to its return: the
/// questions of the wire, which either side may ask.
package struct OpenCalls<Value> {
  private struct Question: Hashable {
    let asker: MessageEvent.Direction
    let id: UInt32
  }
  private var calls: [ConnectionNumber: [Question: Value]] = [:]

  /// No calls.
  package init() {}

  /// The message asks a question.
  ///
  /// - Returns: what was kept for one of the same number, if a peer uses a number twice.
  @discardableResult
  package mutating func begin(_ event: some PassedMessage, _ value: Value) -> Value? {
    guard let id = event.message.id else { return nil }
    let question = Question(asker: event.direction, id: id)
    return calls[event.connection, default: [:]].updateValue(value, forKey: question)
  }

  /// The message answers a question: what was kept for it, once.
  package mutating func returned(_ event: some PassedMessage) -> Value? {
    remove(event, askedBy: event.direction == .sent ? .received : .sent)
  }

  /// Who asked has no use for the answer any more: what was kept, unless it has been returned.
  package mutating func finished(_ event: some PassedMessage) -> Value? {
    remove(event, askedBy: event.direction)
  }

  private mutating func remove(
    _ event: some PassedMessage, askedBy asker: MessageEvent.Direction
  ) -> Value? {
    guard let id = event.message.id else { return nil }
    return calls[event.connection]?.removeValue(forKey: Question(asker: asker, id: id))
  }

  /// What was kept for a call of the peer.
  package subscript(call: ServedCall) -> Value? {
    calls[call.connection]?[Question(asker: .received, id: call.question)]
  }

  /// What was kept for the question that the message asks.
  package subscript(event: some PassedMessage) -> Value? {
    guard let id = event.message.id else { return nil }
    return calls[event.connection]?[Question(asker: event.direction, id: id)]
  }

  /// The connection is over: what was kept for its calls.
  package mutating func removeAll(of connection: ConnectionNumber) -> [Value] {
    calls.removeValue(forKey: connection).map { Array($0.values) } ?? []
  }

  /// Everything that is kept.
  package var all: [(connection: ConnectionNumber, value: Value)] {
    calls.flatMap { connection, calls in calls.values.map { (connection, $0) } }
  }
}

extension OpenCalls: Sendable where Value: Sendable {}
