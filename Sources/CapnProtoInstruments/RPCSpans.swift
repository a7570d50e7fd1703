// Spans are kept by the numbers of their questions, as the wire knows them. A peer's call that is
// handed to its object runs in the context of its span: so do the calls that the object makes.
//
// The context stays in its process. A `Call` of rpc.capnp has no place for it: a field of ours in the
// struct could be a field of a later version to another implementation, and whatever else could
// carry it (another message before the call, a capability in its table) is answered, or kept, by
// peers that do not know it.

public import CapnProtoRPC
import Synchronization
public import Tracing

/// Spans of calls, for swift-distributed-tracing: one where a call is made, of kind `client`, and one
/// where it is served, of kind `server`.
///
/// A span begins and ends with the messages of its call. It is a child of the span in whose task the
/// call is sent, which is the one that makes it unless the connection is corked; one that is served is the parent of what its object does, and begins a trace of its
/// own. An error is told by its kind, never by its words.
public final class RPCSpans<SpanTracer: Tracer>: ConnectionObserver {
  private let tracer: SpanTracer
  private let names: InterfaceNames
  private let spans = Mutex(OpenCalls<SpanTracer.Span>())

  /// Spans of the tracer, which is called while the connection waits.
  ///
  /// - Parameters:
  ///   - tracer: makes the spans.
  ///   - names: what methods are called in the names of spans; others go by number.
  public init(_ tracer: SpanTracer, names: InterfaceNames = InterfaceNames()) {
    self.tracer = tracer
    self.names = names
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
    let context = isClient ? ServiceContext.current ?? .topLevel : .topLevel
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
