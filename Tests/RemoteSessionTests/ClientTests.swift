import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import Foundation
import RemoteSessionClient
import RemoteSessionSchema
import Testing

/// What a client says of a gateway that is silent, or another one.
@Suite(.timeLimit(.minutes(5))) struct ClientTests {
  private func contractError(
    _ gateway: OddGateway, patience: Duration = .seconds(60)
  ) async -> String {
    let client = GatewayClient(
      InMemoryNetwork.connect(server: Capability(RemoteSessionGateway.Client.server(gateway)))
        .client, patience: patience)
    let error = await #expect(throws: RPCError.self) { try await client.checkContract() }
    return error?.reason ?? ""
  }

  @Test func aGatewayOfAnotherContractIsToldApartInWords() async {
    #expect(
      await contractError(OddGateway(version: protocolVersion - 1))
        .contains("version 0 of the remote session contract, this program version 1: the guest"))
    #expect(
      await contractError(OddGateway(version: protocolVersion + 1)).contains("program is older"))
    let other = await contractError(OddGateway(schemaID: 0x8123))
    #expect(other.contains("its schema has the id 0x8123, this program's 0xc339ae070f171927"))
    #expect(other.contains("neither can be called older"))
    #expect(
      await contractError(OddGateway(isSilent: true), patience: .seconds(1))
        .contains("no answer to describe"))
  }

  @Test func theContractsIdIsThatOfItsFile() {
    // A method's id is of its interface, whose id is of its file: only the file itself tells.
    let path = #filePath.replacing(
      "Tests/RemoteSessionTests/ClientTests.swift", with: "schema/remote-session.capnp")
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    #expect(text.hasPrefix("@0x\(String(schemaId, radix: 16));"))
  }

  @Test func aCallByNameThatIsNotAnsweredIsGivenUpInWords() async throws {
    let client = GatewayClient(
      InMemoryNetwork.connect(
        server: Capability(RemoteSessionGateway.Client.server(OddGateway()))
      ).client, patience: .seconds(5))
    let session = try await client.login(.anonymous)
    for call in [ServiceCall.motd, .describe, .info] {
      let error = await #expect(throws: RPCError.self) { try await call.make(on: session, []) }
      #expect(error?.reason.contains("no answer to \(call.rawValue) within 5 s") == true)
      #expect(error?.reason.contains("longer timeout") == true)
    }
  }

  @Test func aProofOfAGatewayThatIsNotThereFailsAtItsFirstStep() async {
    let transcript = Transcript(secrets: [])
    await InteropProof(account: "operator", password: "", transcript: transcript) {
      throw RPCError.disconnected("nothing listens there")
    }.run()
    #expect(transcript.steps.count == 1)
    #expect(transcript.text.contains("FAIL reach a gateway"))
    #expect(transcript.text.contains("nothing listens there"))
    #expect(!transcript.passed)
  }

  @Test func aStepThatIsNotAnsweredFailsInTime() async {
    let transcript = Transcript(secrets: [])
    await InteropProof(
      account: "operator", password: "", patience: .seconds(5), transcript: transcript
    ) {
      InMemoryNetwork.connect(
        server: Capability(RemoteSessionGateway.Client.server(OddGateway()))
      ).client
    }.runChat()
    #expect(!transcript.passed)
    #expect(transcript.text.contains("within 5 s"))
    #expect(transcript.steps.allSatisfy { $0.milliseconds < 60_000 })
  }
}

/// Says what it is told to, admits everybody, and leaves calls on what it gives unanswered.
private final class OddGateway: RemoteSessionGateway.PartialServer {
  private let version: UInt32
  private let schemaID: UInt64
  private let isSilent: Bool

  init(
    version: UInt32 = protocolVersion, schemaID: UInt64 = schemaId, isSilent: Bool = false
  ) {
    self.version = version
    self.schemaID = schemaID
    self.isSilent = isSilent
  }

  func describe(_ call: RemoteSessionGateway.DescribeCall) async throws {
    if isSilent { try await Task.sleep(for: .seconds(60)) }
    call.reply {
      let description = $0.initDescription()
      description.protocolVersion = version
      description.schemaId = schemaID
    }
  }

  func login(_ call: RemoteSessionGateway.LoginCall) async throws {
    call.reply { $0.session = .server(OddSession()) }
  }
}

private final class OddSession: RemoteSession.PartialServer, RemoteCapSet.PartialServer, SystemInfo
    .Server,
  UserSession.PartialServer
{
  func capSet(_ call: RemoteSession.CapSetCall) async throws {
    call.reply { $0.capSet = .server(self) }
  }

  func get(_ call: RemoteCapSet.GetCall) async throws {
    let asked = try call.params.interfaceId
    if asked == Chat._interface.id { try await Task.sleep(for: .seconds(60)) }
    let isSystem = asked == SystemInfo._interface.id
    call.reply {
      $0.cap =
        isSystem
        ? Capability(SystemInfo.Client.server(self)) : Capability(UserSession.Client.server(self))
    }
  }

  func motd(_ call: SystemInfo.MotdCall) async throws { try await Task.sleep(for: .seconds(60)) }

  func describe(_ call: SystemInfo.DescribeCall) async throws {
    try await Task.sleep(for: .seconds(60))
  }

  func info(_ call: UserSession.InfoCall) async throws { try await Task.sleep(for: .seconds(60)) }

  func info(_ call: RemoteSession.InfoCall) async throws { try await Task.sleep(for: .seconds(60)) }
}
