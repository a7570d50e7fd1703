import CapnProto
import CapnProtoRPC

private func callbackIsReleased(_ client: Client) async throws {
  try await eventually("the callback is released") { client.own.liveObjects == 0 }
}

extension Client {
  fileprivate func callHeld(_ n: Int64) async throws -> Int64 {
    try await peer.callHeld { $0.n = n }.results { $0.n }
  }
}

let callbackScenarios: [Scenario] = [
  Scenario("call-back") { client in
    let call = client.peer.callBack {
      $0.callback = client.newCallback()
      $0.times = 10
    }
    try await expect(call.results { $0.sum }, is: 100)  // 1 + 3 + ... + 19
    try await callbackIsReleased(client)
  },
  Scenario("call-back-fails") { client in
    let call = client.peer.callBack {
      $0.callback = client.newCallback()
      $0.times = 20
    }
    try await expectFailure(.overloaded, "thirteen is too much") { try await call.finished() }
    try await callbackIsReleased(client)
  },
  Scenario("tail-call") { client in
    func forward(
      _ n: Int64
    ) -> RemoteCall<Callback.Answer.Reader, NoPipeline> {
      client.peer.forward {
        $0.callback = client.newCallback()
        $0.n = n
      }
    }
    try await expect(forward(20).results { $0.n }, is: 41)
    try await expectFailure(.overloaded, "thirteen is too much") {
      try await forward(13).finished()
    }
    try await callbackIsReleased(client)
  },
  Scenario("held-callback") { client in
    try await expectFailure(.failed, "nothing is held") { _ = try await client.callHeld(1) }
    try await client.peer.hold { $0.callback = client.newCallback() }.finished()
    try expect(client.own.liveObjects, is: 1)
    try await expect(client.callHeld(4), is: 9)
    do {
      let returned = try await there(client.peer.returnHeld().results { try $0.callback })
      try await expect(returned.call { $0.n = 5 }.results { $0.n }, is: 11)
    }
    try await expect(client.callHeld(6), is: 13)
    try await client.peer.dropHeld().finished()
    try await callbackIsReleased(client)
    try await expectFailure(.failed, "nothing is held") { _ = try await client.callHeld(7) }
  },
  Scenario("capability-comes-home") { client in
    let echo = client.peer.echoSequence { $0.sequence = .server(SequenceObject(client.own)) }
    let sequence = echo.pipeline.sequence
    // These go to the server and back ...
    var calls = (0..<3).map { index in sequence.next { $0.expected = UInt32(index) } }
    _ = try await echo.results()
    // ... and these may not overtake them, although the object is known to be here by now.
    calls += (3..<6).map { index in sequence.next { $0.expected = UInt32(index) } }
    for (index, call) in calls.enumerated() {
      try await expect(call.results { $0.n }, is: UInt32(index))
    }
  },
]
