// Spans are kept by the numbers of their questions, as the wire knows them. A peer's call that is
// handed to its object runs in the context of its span: so do the calls that the object makes.
//
// The context crosses as baggage beside the `Call`, which other implementations do not see. A field of
// ours in the struct could be a field of a later version to them.

public import CapnProtoRPC
import Synchronization
public import Tracing

/// Spans of calls, for swift-distributed-tracing: one where a call is made, of kind `client`, and one
/// where it is served, of kind `server`.
///
/// A span begins and ends with the messages of its call. It is a child of the span in whose task the
/// call is sent, which is the one that makes it unless the connection is corked; one that is served is
/// the parent of what its object does. An error is told by its kind, never by its words.
///
/// Where both ends propagate, one that is served is a child of the caller's; else it begins a trace of
/// its own.
public final class RPCSpans<SpanTracer: Tracer>: ConnectionObserver {
  private let tracer: SpanTracer
  private let names: InterfaceNames
  private let propagates: Bool
  private let spans = Mutex(OpenCalls<SpanTracer.Span>())

  /// Spans of the tracer, which is called while the connection waits.
  ///
  /// - Parameters:
  ///   - tracer: makes the spans.
  ///   - names: what methods are called in the names of spans; others go by number.
  ///   - propagates: whether the peer is told the caller's context, and believed what it tells of its
  ///     own. Only for peers that may know of this side's traces, and put theirs among them.
  public init(
    _ tracer: SpanTracer, names: InterfaceNames = InterfaceNames(), propagates: Bool = false
  ) {
    self.tracer = tracer
    self.names = names
    self.propagates = propagates
  }

  /// Begins a span, or ends one.
  public func messagePassed(_ event: MessageEvent) {
    switch event.message.kind {
    case .call: begin(event)
    case .return: end(spans.withLock { $0.returned(event) }, event.message.failure)
    // Of a call whose return has come it is the second end, and there is no span.
    case .finish: end(spans.withLock { $0.finished(event) }, nil)
    default: break
    }
  }

  /// The context of the call's span, if it is propagated.
  public func baggage(of event: MessageEvent) -> [UInt8] {
    guard propagates, let span = spans.withLock({ $0[event] }) else { return [] }
    var fields = ContextFields()
    tracer.inject(span.context, into: &fields, using: ContextFields.Access())
    return fields.bytes
  }

  /// Ends the spans of the connection.
  public func connectionClosed(_ connection: ConnectionNumber, reason: RPCError) {
    for span in spans.withLock({ $0.removeAll(of: connection) }) { end(span, reason.kind) }
  }

  /// Hands the call to its object, in the context of its span.
  public func serve(_ call: ServedCall, _ body: () -> Void) {
    guard let span = spans.withLock({ $0[call] }) else { return body() }
    ServiceContext.$current.withValue(span.context, operation: body)
  }

  private func begin(_ event: MessageEvent) {
    let message = event.message
    guard let interface = message.interfaceID else { return }
    let name = names.method(message.methodID ?? 0, of: interface)
    let isClient = event.direction == .sent
    var context = isClient ? ServiceContext.current ?? .topLevel : .topLevel
    if propagates, !isClient, let baggage = event.baggage {
      tracer.extract(ContextFields(baggage), into: &context, using: ContextFields.Access())
    }
    let span = tracer.startSpan(name, context: context, ofKind: isClient ? .client : .server)
    span.attributes["rpc.system"] = "capnp"
    end(spans.withLock { $0.begin(event, span) }, nil)
  }

  private func end(_ span: SpanTracer.Span?, _ failure: RPCError.Kind?) {
    guard let span else { return }
    if let failure {
      span.setStatus(SpanStatus(code: .error, message: "\(failure)"))
      span.attributes["rpc.error"] = "\(failure)"
    }
    span.end()
  }
}
