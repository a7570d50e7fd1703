import CapnProto
import CapnProtoNIO
import RemoteSessionSchema
import Testing

@testable import RemoteSessionClient

@Suite struct InteropTests {
  private func failures(_ transcript: Transcript) -> [Transcript.Step] {
    transcript.steps.filter { !$0.passed }
  }

  @Test func everyStepOfTheProofPassesInMemory() async throws {
    let guest = try TestGuest()
    let transcript = Transcript(secrets: [TestGuest.password])
    await InteropProof(
      account: "operator", password: TestGuest.password, transcript: transcript
    ) { guest.connectRaw().client }.run()
    #expect(failures(transcript) == [])
    #expect(transcript.steps.count > 25)
    #expect(!transcript.text.contains(TestGuest.password))
    #expect(!guest.audit.all.joined().contains(TestGuest.password))
  }

  @Test func everyStepOfTheProofPassesOverTCP() async throws {
    let guest = try TestGuest()
    let listener = try await guest.listen()
    let address = listener.address
    let transcript = Transcript(secrets: [TestGuest.password])
    await InteropProof(
      account: "operator", password: TestGuest.password, transcript: transcript
    ) { try await RPCConnector.connect(to: address) }.run()
    #expect(failures(transcript) == [])
    await listener.close()
  }

  @Test func theProofOfOneRoundTripFailsWhereTheChainWaits() async throws {
    let guest = try TestGuest()
    let listener = try await guest.listen()
    let address = listener.address
    let transcript = Transcript(secrets: [TestGuest.password])
    func proof(_ patience: Duration) -> InteropProof {
      InteropProof(
        account: "operator", password: TestGuest.password, patience: patience,
        transcript: transcript
      ) { try await RPCConnector.connect(to: address) }
    }
    await proof(.milliseconds(300)).proveOneRoundTrip { client in
      // As a client without pipelining does.
      let session = try await client.login(TestGuest.credentials)
      return session.pipelined("systemInfo", as: SystemInfo.Client.self).motd()
    }
    #expect(transcript.steps.map(\.passed) == [false])
    #expect(transcript.text.contains("no answer to"))
    await proof(.seconds(20)).provePipelining()
    #expect(transcript.steps.map(\.passed) == [false, true])
    await listener.close()
  }

  @Test func theProofFailsWhereTheGuestGrantsLess() async throws {
    let guest = try TestGuest { $0.profiles[0].initGrants(1)[0] = "session" }
    let transcript = Transcript(secrets: [])
    await InteropProof(
      account: "operator", password: TestGuest.password, transcript: transcript
    ) { guest.connectRaw().client }.run()
    #expect(!transcript.passed)
    #expect(transcript.text.contains("FAIL get chat"))
  }
}
