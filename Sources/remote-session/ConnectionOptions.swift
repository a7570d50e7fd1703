import ArgumentParser
import CapnProtoNIO
import CapnProtoRPC
import Foundation
import RemoteSessionClient

/// Where the guest is.
struct HostOptions: ParsableArguments {
  @Option(help: "The host that leads to the guest.")
  var host = "127.0.0.1"

  @Option(help: "The port that leads to the guest.")
  var port = 2327

  @Option(help: "How long connecting, and then each call or step, may take, in seconds.")
  var timeout = 20
  /// A day, in seconds.
  private static let longestTimeout = 86_400

  func validate() throws {
    guard (1...65535).contains(port) else {
      throw ValidationError("--port must be 1 to 65535")
    }
    guard (1...Self.longestTimeout).contains(timeout) else {
      throw ValidationError("--timeout must be 1 to \(Self.longestTimeout) s")
    }
  }

  var address: RPCAddress { .tcp(host: host, port: port) }
  var patience: Duration { .seconds(timeout) }
}

/// Who logs in.
struct LoginOptions: ParsableArguments {
  @OptionGroup var host: HostOptions

  @Option(help: "The account to log in to.")
  var account = "operator"

  @Flag(help: "Log in without an account.")
  var anonymous = false

  @Option(help: "What to ask for; without it, the account's usual profile.")
  var profile = ""

  @OptionGroup var password: PasswordOptions

  /// Connects and logs in, and logs out when the body has returned.
  func withSession(
    _ body: (GatewayClient, SessionClient) async throws -> Void
  ) async throws {
    let credentials: Credentials =
      anonymous ? .anonymous : .password(account: account, password: try password.read())
    try await GatewayClient.withConnection(to: host.address, patience: host.patience) { client in
      let session = try await client.login(credentials, profile: profile)
      try await body(client, session)
      try await session.logout()
    }
  }
}

/// Where the password comes from: never from the command line, which others can see.
struct PasswordOptions: ParsableArguments {
  static let variable = "REMOTE_SESSION_PASSWORD"

  @Option(
    help: """
      A file whose first line is the password. Without it: the environment's \
      REMOTE_SESSION_PASSWORD, then a line of the standard input.
      """)
  var passwordFile: String?

  func read() throws -> String {
    if let passwordFile {
      guard let text = try? String(contentsOfFile: passwordFile, encoding: .utf8) else {
        throw ValidationError("the password file '\(passwordFile)' cannot be read")
      }
      return String(text.prefix { !$0.isNewline })
    }
    if let password = ProcessInfo.processInfo.environment[Self.variable] { return password }
    if isatty(STDIN_FILENO) == 1 {
      guard let password = try PasswordPrompt.read("Password: ") else {
        throw ValidationError("no password was typed")
      }
      return password
    }
    guard let line = readLine() else {
      throw ValidationError(
        "there is no password: give --password-file, or \(Self.variable), or a line of input")
    }
    return line
  }
}
