import CapnProto
import CapnProtoRPC
import Synchronization

/// Notes what it is asked to add, so that the order of arrival shows.
private final class NotingCounter: Counter.Server {
  private let noted = Mutex<[Int64]>([])

  var notes: [Int64] { noted.withLock { $0 } }

  func value(_ call: ValueCall) async throws { call.reply { $0.value = Int64(notes.count) } }

  func add(_ call: AddCall) async throws {
    let n = try call.params.n
    noted.withLock { $0.append(n) }
    call.reply { $0.value = Int64(notes.count) }
  }
}

extension Client {
  /// A promise of the server, and what settles it.
  func newPromise() async throws -> (counter: Counter.Client, resolver: Resolver.Client) {
    let answer = try await peer.newPromise().results()
    return (try there(answer.reader.counter), try there(answer.reader.resolver))
  }

  /// A promise whose Resolver is let go of.
  fileprivate func newAbandonedPromise() async throws -> Counter.Client {
    try await newPromise().counter
  }
}

/// The answers of the calls must be 1, 2, 3 ...
private func expectCounting(
  _ calls: [RemoteCall<Counter.AddResults.Reader, NoPipeline>]
) async throws {
  for (index, call) in calls.enumerated() {
    try await expect(call.results { $0.value }, is: Int64(index + 1))
  }
}

let promiseScenarios: [Scenario] = [
  Scenario("promise-becomes-servers-object") { client in
    let (counter, resolver) = try await client.newPromise()
    let first = counter.plus(1)
    let second = counter.plus(2)
    let target = try await there(
      client.peer.newCounter { $0.start = 10 }.results { try $0.counter })
    try await resolver.fulfil { $0.counter = target }.finished()
    try await expect(first.results { $0.value }, is: 11)
    try await expect(second.results { $0.value }, is: 13)
    try await client.roundTrips()
    try await expect(counter.sum(plus: 3), is: 16)
    try await expect(target.current(), is: 16)
    try await expectFailure(.failed, "already settled") {
      try await resolver.fulfil { $0.counter = target }.finished()
    }
  },
  Scenario("promise-becomes-clients-object") { client in
    let noting = NotingCounter()
    let (counter, resolver) = try await client.newPromise()
    var calls = (1...3).map { counter.plus($0) }
    let settled = resolver.fulfil { $0.counter = .server(noting) }
    calls += (4...6).map { counter.plus($0) }
    try await settled.finished()
    try await client.roundTrips()
    calls += (7...9).map { counter.plus($0) }
    try await expectCounting(calls)
    try expect(noting.notes, is: Array(1...9))
  },
  Scenario("promise-becomes-promise") { client in
    let noting = NotingCounter()
    let outer = try await client.newPromise()
    let inner = try await client.newPromise()
    var calls = [outer.counter.plus(1)]
    try await outer.resolver.fulfil { $0.counter = inner.counter }.finished()
    calls.append(outer.counter.plus(2))
    try await inner.resolver.fulfil { $0.counter = .server(noting) }.finished()
    calls.append(outer.counter.plus(3))
    try await client.roundTrips()
    calls.append(outer.counter.plus(4))
    try await expectCounting(calls)
    try expect(noting.notes, is: Array(1...4))
  },
  Scenario("promise-fails") { client in
    let (counter, resolver) = try await client.newPromise()
    let pending = counter.plus(1)
    try await resolver.reject {
      $0.kind = .overloaded
      $0.reason = "no luck"
    }.finished()
    try await expectFailure(.overloaded, "no luck") { try await pending.finished() }
    try await expectFailure(.overloaded, "no luck") { try await counter.plus(2).finished() }
    _ = try await client.liveObjects()
  },
  Scenario("promise-becomes-null") { client in
    let (counter, resolver) = try await client.newPromise()
    let pending = counter.plus(1)
    try await resolver.fulfil().finished()
    try await expectFailure(.failed) { try await pending.finished() }
    try await expectFailure(.failed) { try await counter.plus(2).finished() }
    _ = try await client.liveObjects()
  },
  Scenario("promise-is-abandoned") { client in
    let counter = try await client.newAbandonedPromise()
    try await expectFailure(.failed) { try await counter.plus(1).finished() }
  },
]
