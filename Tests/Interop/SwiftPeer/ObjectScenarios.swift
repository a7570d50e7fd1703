import CapnProto
import CapnProtoRPC

extension Counter.Client {
  /// Sends the call now; `await` is for the answer.
  func plus(_ n: Int64) -> RemoteCall<Counter.AddResults.Reader, NoPipeline> { add { $0.n = n } }

  func sum(plus n: Int64) async throws -> Int64 { try await plus(n).results { $0.value } }

  func current() async throws -> Int64 { try await value().results { $0.value } }
}

/// The capability in an answer that must not be null.
func there<Client: CapabilityClient>(_ client: Client?, line: Int = #line) throws -> Client {
  guard let client else { throw Failed("line \(line): the capability is null") }
  return client
}

let objectScenarios: [Scenario] = [
  Scenario("returned-capability") { client in
    let counter = try await there(
      client.peer.newCounter { $0.start = 40 }.results { try $0.counter })
    try await expect(counter.sum(plus: 2), is: 42)
    try await expect(counter.sum(plus: -50), is: -8)
    try await expect(counter.current(), is: -8)
  },
  Scenario("list-of-capabilities") { client in
    let answer = try await client.peer.newCounters { $0.count = 5 }.results()
    let counters = try answer.reader.counters.map { $0 }
    try expect(counters.count, is: 5)
    for (index, counter) in counters.enumerated() {
      try await expect(counter.current(), is: Int64(index))
    }
    let call = client.peer.sumCounters {
      let list = $0.initCounters(6)
      for (index, counter) in counters.enumerated() { list[index] = counter }
      list[5] = .server(CounterObject(client.own, start: 100))  // the server calls this one here
    }
    try await expect(call.results { $0.sum }, is: 110)
  },
  Scenario("find-by-name") { client in
    func find(
      _ name: String
    ) -> RemoteCall<Peer.FindResults.Reader, Peer.FindResults.Pipeline> {
      client.peer.find { $0.name = name }
    }
    let found = try await find("counter").results { try $0.capability }
    let counter = try there(found?.cast(to: Counter.Client.self))
    try await expect(counter.sum(plus: 3), is: 3)
    let named = find("namedCounter").pipeline.capability.cast(to: Named.Client.self)
    try await expect(named.name().results { try $0.name.string }, is: "namedCounter")
    let sequence = find("sequence").pipeline.capability.cast(to: Sequence.Client.self)
    try await expect(sequence.next { $0.expected = 0 }.results { $0.n }, is: 0)
    try await expect(find("nonsense").results { $0.hasCapability }, is: false)
  },
  Scenario("inheritance") { client in
    let call = client.peer.newNamedCounter {
      $0.name = "before"
      $0.start = 7
    }
    let counter = try await there(call.results { try $0.counter })
    try await expect(counter.add { $0.n = 1 }.results { $0.value }, is: 8)
    try await expect(counter.name().results { try $0.name.string }, is: "before")
    try await expect(
      counter.rename { $0.name = "after" }.results { try $0.old.string }, is: "before")
    try await expect(counter.name().results { try $0.name.string }, is: "after")
    let sum = client.peer.sumCounters { $0.initCounters(1)[0] = counter.asCounter }
    try await expect(sum.results { $0.sum }, is: 8)
  },
]
