import ArgumentParser
import RemoteSessionClient

struct LoginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login", abstract: "Log in, say what the session is, and log out.")

  @OptionGroup var login: LoginOptions

  func run() async throws {
    try await login.withSession { client, session in try await show(client, session) }
  }

  private func show(_ client: GatewayClient, _ session: SessionClient) async throws {
    let gateway = try await client.describe()
    let info = try await session.info()
    try StandardOutput.line(
      "gateway: \(gateway.software), contract version \(gateway.protocolVersion)")
    try StandardOutput.line("account: \(info.account.isEmpty ? "none" : info.account)")
    try StandardOutput.line("profile: \(info.profile)")
    try StandardOutput.line("method: \(info.method)")
    try StandardOutput.line(
      "expires: \(info.expiresIn.map { "in \($0.components.seconds) s" } ?? "at logout")")
  }
}

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the capabilities that the session is granted.")

  @OptionGroup var login: LoginOptions

  func run() async throws {
    try await login.withSession { _, session in
      for entry in try await session.list() {
        try StandardOutput.line(
          "\(entry.name)  \(entry.interfaceName)  0x\(String(entry.interfaceID, radix: 16))")
      }
    }
  }
}

struct CallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call", abstract: "Call a capability that the session is granted.",
    discussion: "The calls: "
      + ServiceCall.allCases.map {
        ([$0.rawValue] + $0.parameters).joined(separator: " ")
      }.joined(separator: ", ") + ".")

  @OptionGroup var login: LoginOptions

  @Argument(help: "The call, as CAPABILITY.METHOD.")
  var name: String

  @Argument(help: "Its parameters.")
  var words: [String] = []

  func validate() throws {
    guard let call = ServiceCall(rawValue: name) else {
      let known = ServiceCall.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("there is no call '\(name)'; there are: \(known)")
    }
    guard words.count == call.parameters.count else {
      let expected = call.parameters.joined(separator: " ")
      throw ValidationError("'\(name)' takes \(expected.isEmpty ? "no parameters" : expected)")
    }
  }

  func run() async throws {
    guard let call = ServiceCall(rawValue: name) else { return }
    try await login.withSession { _, session in
      for (name, text) in try await call.make(on: session, words) {
        try StandardOutput.line("\(name): \(text)")
      }
    }
  }
}
