import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct PromiseTests {
  @Test func `calls that wait for each other's results fail`() async throws {
    let (first, one) = Capability.promise()
    let (second, two) = Capability.promise()
    let calls = [first, second].map {
      $0.cast(to: Calculator.Client.self).evaluate { $0.initExpression().literal = 1 }
    }
    one.resolve(Capability(calls[1].pipeline.value))
    two.resolve(Capability(calls[0].pipeline.value))
    for call in calls {
      let error = await #expect(throws: RPCError.self) { try await call.results() }
      #expect(error == .failed("the call waits for its own results"))
    }
  }

  @Test func `promises that become one another are broken`() async throws {
    let (first, one) = Capability.promise()
    let (second, two) = Capability.promise()
    let waiting = first.cast(to: Value.Client.self).read()
    one.resolve(second)
    two.resolve(first)
    for call in [waiting, second.cast(to: Value.Client.self).read()] {
      let error = await #expect(throws: RPCError.self) { try await call.results() }
      #expect(error == .failed("the promise resolved to itself"))
    }
  }

  @Test func `a promise that is dropped without being settled is broken`() async throws {
    let promised = Capability.promise().capability
    let error = await #expect(throws: RPCError.self) {
      try await promised.cast(to: Value.Client.self).read().results()
    }
    #expect(error == .failed("the promise was abandoned"))
  }

  @Test func `a promise that is settled while a call is built keeps the order of calls`()
    async throws
  {
    for isRemote in [true, false] {
      let server = CalculatorServer()
      let ends = InMemoryNetwork.connect(server: Capability(Calculator.Client.server(server)))
      let calculator = ends.client.bootstrap(as: Calculator.Client.self)
      let recorder = Recorder()
      let (promise, resolver) = Capability.promise()
      let target = promise.cast(to: Callback.Client.self)
      var calls = [target.call { $0.number = 0 }]
      let echoed = calculator.echo { $0.callback = .server(recorder) }
      calls.append(
        target.call {
          // The call was begun before, and is made after.
          resolver.resolve(
            isRemote
              ? Capability(echoed.pipeline.callback)
              : Capability(Callback.Client.server(recorder)))
          $0.number = 1
        })
      calls.append(target.call { $0.number = 2 })
      for call in calls { _ = try await call.results() }
      #expect(await recorder.numbers == [0, 1, 2])
    }
  }
}
