import CapnProto
import CapnProtoRPC

extension Client {
  /// The answer with all of them is gone when this returns.
  fileprivate func oneOfHundredCounters(before: UInt32) async throws -> Counter.Client {
    let answer = try await peer.newCounters { $0.count = 100 }.results()
    try await expect(liveObjects(), is: before + 100)
    return try answer.reader.counters[42]
  }
}

/// Cancellation, release and disconnection.
let lifetimeScenarios: [Scenario] = [
  Scenario("cancellation") { client in
    let before = try await client.cancelledCalls()
    func callAndDrop() async throws {
      let call = client.peer.never()
      try await expect(client.cancelledCalls(), is: before)
      withExtendedLifetime(call) {}
    }
    try await callAndDrop()
    try await eventually("the call is cancelled") {
      try await client.cancelledCalls() == before + 1
    }
  },
  Scenario("release") { client in
    let before = try await client.liveObjects()
    func useOne() async throws {
      let kept = try await client.oneOfHundredCounters(before: before)
      try await eventually("all but one are released") {
        try await client.liveObjects() == before + 1
      }
      try await expect(kept.current(), is: 42)
    }
    try await useOne()
    try await eventually("all are released") { try await client.liveObjects() == before }
  },
  Scenario("release-of-unread-answers") { client in
    let before = try await client.liveObjects()
    for index in 0..<20 {
      let unread = client.peer.newCounter { $0.start = Int64(index) }
      let pipelined = client.peer.newCounter { $0.start = Int64(index) }
      let sum = pipelined.pipeline.counter.plus(1)
      if index.isMultiple(of: 2) { try await sum.finished() }
      withExtendedLifetime((unread, sum)) {}
    }
    try await eventually("all are released") { try await client.liveObjects() == before }
  },
  Scenario("server-disconnects") { client in
    let cancelled = try await client.cancelledCalls()
    let live = try await client.liveObjects()
    let other = try await client.connect()
    let peer = other.bootstrap(as: Peer.Client.self)
    let counter = try await there(peer.newCounter().results { try $0.counter })
    try await peer.hold { $0.callback = client.newCallback() }.finished()
    try await expect(client.liveObjects(), is: live + 1)
    let pending = peer.never()
    let promise = try await peer.newPromise().results()
    let waiting = try there(promise.reader.counter).value()
    try await expectFailure(.disconnected) { try await peer.disconnect().finished() }
    try await expectFailure(.disconnected) { try await pending.finished() }
    try await expectFailure(.disconnected) { try await waiting.finished() }
    withExtendedLifetime(promise) {}  // its Resolver would break it
    try await expectFailure(.disconnected) { try await counter.value().finished() }
    try await expectFailure(.disconnected) { try await peer.liveObjects().finished() }
    try await eventually("the callback is released") { client.own.liveObjects == 0 }
    try await eventually("the server lets go of the connection") {
      let nowLive = try await client.liveObjects()
      let nowCancelled = try await client.cancelledCalls()
      return nowLive == live && nowCancelled == cancelled + 1
    }
  },
  Scenario("client-disconnects") { client in
    let cancelled = try await client.cancelledCalls()
    let live = try await client.liveObjects()
    let other = try await client.connect()
    let peer = other.bootstrap(as: Peer.Client.self)
    let answer = try await peer.newCounters { $0.count = 10 }.results()
    let pending = peer.never()
    let promise = try await peer.newPromise().results()
    try await expect(client.liveObjects(), is: live + 11)
    other.close()
    try await expectFailure(.disconnected) { try await pending.finished() }
    withExtendedLifetime((answer, promise)) {}
    try await eventually("the server lets go of the connection") {
      let nowLive = try await client.liveObjects()
      let nowCancelled = try await client.cancelledCalls()
      return nowLive == live && nowCancelled == cancelled + 1
    }
  },
]
