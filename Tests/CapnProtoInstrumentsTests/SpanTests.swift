import CapnProtoInstruments
import CapnProtoRPC
import CapnProtoTesting
import InMemoryTracing
import Testing
import Tracing

@Suite(.timeLimit(.minutes(5))) struct SpanTests {
  private let here = InMemoryTracer()
  private let there = InMemoryTracer()

  private func connect(
    propagating: (here: Bool, there: Bool) = (false, false)
  ) -> (client: RPCConnection, server: RPCConnection) {
    var names = InterfaceNames()
    names.add(TestObject.interface)
    return TestObject.connect(
      client: RPCSpans(here, names: names, propagates: propagating.here),
      server: RPCSpans(there, names: names, propagates: propagating.there),
      tracing: there)
  }

  @Test func `a call is a span on both sides, the caller's a child of what calls`() async throws {
    let (client, _) = connect()
    let object = client.bootstrapCapability()
    try await here.withSpan("work") { _ in try await TestObject.call(object, .answer) }
    let work = try #require(here.finishedSpans.first { $0.operationName == "work" })
    let made = try #require(here.finishedSpans.first { $0.kind == .client })
    #expect(made.operationName == "test.capnp:Test.answer")
    #expect(made.parentSpanID == work.spanID)
    #expect(made.traceID == work.traceID)
    #expect(made.status == nil)
    let served = try #require(there.finishedSpans.first { $0.kind == .server })
    #expect(served.operationName == "test.capnp:Test.answer")
    #expect(served.parentSpanID == nil)
    client.close()
  }

  @Test func `a span that is propagated is the parent of the one at the peer`() async throws {
    let (client, _) = connect(propagating: (true, true))
    try await here.withSpan("work") { _ in
      try await TestObject.call(client.bootstrapCapability(), .answer)
    }
    let made = try #require(here.finishedSpans.first { $0.kind == .client })
    let served = try #require(there.finishedSpans.first { $0.kind == .server })
    #expect(served.parentSpanID == made.spanID)
    #expect(served.traceID == made.traceID)
    client.close()
  }

  @Test(arguments: [(true, false), (false, true)])
  func `a context that one end does not propagate stays there`(here first: Bool, there second: Bool)
    async throws
  {
    let (client, _) = connect(propagating: (first, second))
    try await TestObject.call(client.bootstrapCapability(), .answer)
    let served = try #require(there.finishedSpans.first { $0.kind == .server })
    #expect(served.parentSpanID == nil)
    client.close()
  }

  @Test func `what a handler does is a child of the span of its call`() async throws {
    let (client, _) = connect()
    try await TestObject.call(client.bootstrapCapability(), .answer)
    let served = try #require(there.finishedSpans.first { $0.kind == .server })
    let inner = try #require(there.finishedSpans.first { $0.operationName == "inner" })
    #expect(inner.parentSpanID == served.spanID)
    client.close()
  }

  @Test func `a failure is told by its kind, not by its words`() async throws {
    let (client, _) = connect()
    let object = client.bootstrapCapability()
    await #expect(throws: RPCError.self) { try await TestObject.call(object, .overload) }
    for tracer in [here, there] {
      let span = try #require(tracer.finishedSpans.first { $0.operationName.hasSuffix("overload") })
      #expect(span.status?.code == .error)
      #expect(span.status?.message == "overloaded")
    }
    client.close()
  }

  @Test func `spans end with the connection`() async throws {
    let (client, server) = connect()
    let call = Task { try await TestObject.call(client.bootstrapCapability(), .hang) }
    #expect(await eventually { server.tableSizes.answers == 1 })
    client.close()
    _ = await call.result
    _ = try await server.closed()
    for tracer in [here, there] {
      #expect(await eventually { tracer.activeSpans.isEmpty })
      let span = try #require(tracer.finishedSpans.first { $0.operationName.hasSuffix("hang") })
      #expect(span.status?.message == "disconnected")
    }
  }

  @Test func `a call that is given up ends its span`() async throws {
    let (client, _) = connect()
    let call = Task { try await TestObject.call(client.bootstrapCapability(), .hang) }
    #expect(await eventually { !there.activeSpans.isEmpty })
    call.cancel()
    _ = await call.result
    #expect(await eventually { here.activeSpans.isEmpty && there.activeSpans.isEmpty })
    client.close()
  }
}
