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
      used. The status is 1 if a step fails; the first one is to reach the gateway. The transcript \
      is replaced at the start and gets each step as it is taken, so one without its last line, \
      the count of steps, is of a proof that did not end. It holds no secret.
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
    let file = try transcript.map { try TranscriptFile(replacing: $0) }
    let password: String
    do {
      password = try readPassword()
    } catch {
      file?.append("FAIL the password is read: \(error)")
      throw error
    }
    let showsLines = !json
    let output = FirstError()
    let record = Transcript(secrets: [password]) { line in
      file?.append(line)
      if showsLines { output.keep { try StandardOutput.line(line) } }
    }
    let address = host.address
    let patience = host.patience
    let proof = InteropProof(
      account: account, password: password, patience: patience, transcript: record
    ) {
      try await RPCConnector.connect(to: address, timeout: patience)
    }
    if only == .chat { await proof.runChat() } else { await proof.run() }
    file?.append(record.summary)
    try output.check()
    try show(record)
    try file?.close()
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

  private func show(_ record: Transcript) throws {
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try StandardOutput.write(
        String(decoding: try encoder.encode(Report(record)), as: UTF8.self) + "\n")
    } else {
      if let transcript { try StandardOutput.line("transcript: \(transcript)") }
      try StandardOutput.line(record.summary)
    }
  }
}

/// The file that gets a transcript line by line, so that it tells how far a proof came that was
/// ended half-way. What an earlier proof wrote is gone from the beginning.
private final class TranscriptFile: Sendable {
  private let path: String
  private let handle: FileHandle
  /// A transcript that lacks lines is none.
  private let failure = FirstError()

  init(replacing path: String) throws {
    self.path = path
    let file = URL(filePath: path)
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: file)
      handle = try FileHandle(forWritingTo: file)
    } catch {
      throw ValidationError("the transcript cannot be written to '\(path)'")
    }
  }

  func append(_ line: String) {
    failure.keep { try handle.write(contentsOf: Data((line + "\n").utf8)) }
  }

  /// Throws if a line could not be written.
  func close() throws {
    do {
      try failure.check()
      try handle.close()
    } catch {
      throw CannotWrite(what: "the transcript '\(path)'", reason: error.localizedDescription)
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
