import ArgumentParser
import CapnProtoNIO
import CapnProtoRPC
import Foundation
import RemoteSessionClient

struct InteropCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interop",
    abstract: "Prove, step by step, that a guest does what the contract says.",
    discussion: """
      Without a password from --password-file or the environment, the demonstration guest's is \
      used. The status is 1 if a step fails. The transcript holds no secret.
      """)

  enum Part: String, ExpressibleByArgument, CaseIterable { case chat }

  @OptionGroup var host: HostOptions

  @Option(help: "The account, whose profile is granted session, systemInfo and chat.")
  var account = "operator"

  @Option(help: "A file whose first line is the password.")
  var passwordFile: String?

  @Option(help: "The one part to prove: \(Part.allCases.map(\.rawValue).joined()).")
  var only: Part?

  @Option(help: "The file that gets the transcript.")
  var transcript: String?

  @Flag(help: "Print the steps as JSON, at the end, instead of as lines.")
  var json = false

  func run() async throws {
    let password = try readPassword()
    let showsLines = !json
    let record = Transcript(secrets: [password]) { if showsLines { print($0) } }
    let address = host.address
    let patience = host.patience
    // A guest that is not there, or something else, is told in words before any step.
    try await GatewayClient.connect(to: address, patience: patience).close()
    let proof = InteropProof(
      account: account, password: password, patience: patience, transcript: record
    ) {
      try await RPCConnector.connect(to: address, timeout: patience)
    }
    if only == .chat { await proof.runChat() } else { await proof.run() }
    try write(record)
    if !record.passed { throw ExitCode.failure }
  }

  private func readPassword() throws -> String {
    if let passwordFile {
      var options = PasswordOptions()
      options.passwordFile = passwordFile
      return try options.read()
    }
    return ProcessInfo.processInfo.environment[PasswordOptions.variable] ?? "let-me-in"
  }

  private func write(_ record: Transcript) throws {
    if let transcript {
      let file = URL(filePath: transcript)
      do {
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(record.text.utf8).write(to: file)
      } catch {
        throw ValidationError("the transcript cannot be written to '\(transcript)'")
      }
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(Report(record)), as: UTF8.self))
    } else {
      if let transcript { print("transcript: \(transcript)") }
      print(record.summary)
    }
  }
}

/// The outcome of a proof, for programs.
private struct Report: Encodable {
  struct Step: Encodable {
    let name: String
    let passed: Bool
    let detail: String
    let milliseconds: Int
  }
  let passed: Bool
  let summary: String
  let steps: [Step]

  init(_ transcript: Transcript) {
    passed = transcript.passed
    summary = transcript.summary
    steps = transcript.steps.map {
      Step(name: $0.name, passed: $0.passed, detail: $0.detail, milliseconds: $0.milliseconds)
    }
  }
}
