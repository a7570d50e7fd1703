public import CapnProtoRPC
import RemoteSessionSchema

/// The scripted proof that a guest does what the contract says, as one client after the other.
public struct InteropProof: Sendable {
  let account: String
  let password: String
  let patience: Duration
  let open: @Sendable () async throws -> RPCConnection
  let transcript: Transcript

  /// A proof that has not run yet.
  ///
  /// - Parameters:
  ///   - account: an account whose usual profile is granted `session`, `systemInfo` and `chat`.
  ///   - password: its password, which never gets into the transcript.
  ///   - patience: how long one call may take.
  ///   - transcript: gets the steps.
  ///   - open: makes a new connection to the guest's gateway.
  public init(
    account: String, password: String, patience: Duration = .seconds(20), transcript: Transcript,
    open: @escaping @Sendable () async throws -> RPCConnection
  ) {
    self.account = account
    self.password = password
    self.patience = patience
    self.transcript = transcript
    self.open = open
  }

  /// Takes every step; those after a step that they need are left out if it fails.
  public func run() async {
    guard await reachGateway() else { return }
    await proveLogin()
    await provePipelining()
    await proveChat()
    await proveDisconnect()
    await proveAnonymous()
  }

  /// The proof of the chat alone, with two clients.
  public func runChat() async {
    guard await reachGateway() else { return }
    await proveChat()
  }

  /// Whether there is a gateway to prove anything of.
  private func reachGateway() async -> Bool {
    let summary = await step("reach a gateway of this contract") {
      let client = try await connect()
      let summary = try await client.checkContract()
      client.close()
      return (summary, "\(summary.software), contract version \(summary.protocolVersion)")
    }
    return summary != nil
  }

  var credentials: Credentials { .password(account: account, password: password) }

  func connect() async throws -> GatewayClient {
    GatewayClient(try await open(), patience: patience)
  }

  /// Takes a step that gives what later ones need.
  func step<Value: Sendable>(
    _ name: String, _ body: @escaping @Sendable () async throws -> (Value, String)
  ) async -> Value? {
    var value: Value?
    await transcript.step(name) {
      let (found, detail) = try await withDeadline(stepPatience, "the step's calls", body)
      value = found
      return detail
    }
    return value
  }

  func step(_ name: String, _ body: @escaping @Sendable () async throws -> String) async {
    await transcript.step(name) { try await withDeadline(stepPatience, "the step's calls", body) }
  }

  /// How long a step may take, for what in it has no deadline of its own. It is longer than that of
  /// one call, so that the call is named which took too long.
  private var stepPatience: Duration { patience * 2 }
}
