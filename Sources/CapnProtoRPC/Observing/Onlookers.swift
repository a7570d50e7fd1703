import CapTP
import CapnProto
import Synchronization

/// The observers of one connection, which has a number because there are some.
struct Onlookers: Sendable {
  private static let lastNumber = Atomic<ConnectionNumber>(0)
  private let observers: [any ConnectionObserver]
  private let number: ConnectionNumber

  init(_ observers: [any ConnectionObserver]) {
    self.observers = observers
    number = Self.lastNumber.add(1, ordering: .relaxed).newValue
  }

  func opened() { for observer in observers { observer.connectionOpened(number) } }

  func closed(_ reason: RPCError) {
    for observer in observers { observer.connectionClosed(number, reason: reason) }
  }

  /// Tells of a message that goes out.
  ///
  /// - Returns: the message with what is to travel with it.
  func sent(_ message: SharedMessage) -> SharedMessage {
    let event = tell(.sent, message.frameBytes, MessageSummary(message.reader), nil)
    guard event.message.kind == .call else { return message }
    for observer in observers {
      let baggage = observer.baggage(of: event)
      if !baggage.isEmpty { return CallBaggage.attach(baggage, to: message) }
    }
    return message
  }

  func received(_ message: borrowing MessageReader) {
    let summary = message.summary
    let baggage = summary.kind == .call ? CallBaggage.read(message) : nil
    tell(.received, message.frameBytes, summary, baggage)
  }

  /// Hands the call to its object, by way of each observer.
  func serve(_ answer: AnswerToken, _ body: () -> Void) {
    serve(
      ServedCall(connection: number, question: answer.questionNumber), observers[...], body)
  }

  private func serve(
    _ call: ServedCall, _ observers: ArraySlice<any ConnectionObserver>, _ body: () -> Void
  ) {
    guard let first = observers.first else { return body() }
    first.serve(call) { serve(call, observers.dropFirst(), body) }
  }

  @discardableResult
  private func tell(
    _ direction: MessageEvent.Direction, _ bytes: Int, _ message: MessageSummary,
    _ baggage: [UInt8]?
  ) -> MessageEvent {
    let event = MessageEvent(
      connection: number, time: .now, direction: direction, bytes: bytes, message: message,
      baggage: baggage)
    for observer in observers { observer.messagePassed(event) }
    return event
  }
}
