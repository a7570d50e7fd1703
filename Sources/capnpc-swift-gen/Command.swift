import CapnProto
import CapnProtoCodeGen
import CapnProtoSchema
import Foundation

/// The schema compiler's plugin: reads its request from standard input, writes Swift files to the
/// working directory.
@main struct Command {
  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      complain("capnpc-swift-gen: error: \(describe(error))")
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    switch arguments.first {
    case "--help", "-h": try show(help)
    case "--version": try show("capnpc-swift-gen \(version)")
    case let option?: throw UsageError("unknown argument '\(option)'; see --help")
    case nil:
      if isatty(STDIN_FILENO) != 0 {
        throw UsageError("it is run by the schema compiler, not by hand\n\n\(help)")
      }
      try generate()
    }
  }

  private static func generate() throws {
    let input = try FileHandle.standardInput.readToEnd() ?? Data()
    let message = try MessageReader(
      flat: Array(input), frameLimits: FrameLimits(words: .max, segments: 512),
      limits: ReaderLimits(traversalWords: .max, nestingDepth: 256))
    let request: CodeGeneratorRequest.Reader = try message.root()
    let options = try CodeGeneratorOptions(ProcessInfo.processInfo.environment)
    let generator = CodeGenerator(
      try SchemaRequest(request, options: options), options: options, source: SchemaSources.find)
    let refusals = generator.refusals
    if !refusals.isEmpty {
      for refusal in refusals { complain("\(refusal)") }
      exit(1)
    }
    for file in try generator.files() { try OutputFile.write(file.text, to: file.name) }
  }

  private static func show(_ message: String) throws {
    // A reader that has ended is an error of the write, with a message.
    signal(SIGPIPE, SIG_IGN)
    try FileHandle.standardOutput.write(contentsOf: Data((message + "\n").utf8))
  }

  private static func complain(_ message: String) {
    // Names in a message may come from a file. Where it cannot be written, the exit status remains.
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    let text = lines.map { String($0).escapedForDisplay + "\n" }.joined()
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  private static func describe(_ error: any Error) -> String {
    switch error {
    case let error as UsageError: error.description
    case let error as FramingError: "no request on standard input: \(error)"
    case let error as DecodingError: "the request on standard input is damaged: \(error)"
    case is CocoaError: error.systemReason
    default: "\(error)"
    }
  }

  private static let version = "0.1.0"

  private static let help = """
    Generates Swift from Cap'n Proto schemas, as a plugin of the schema compiler:

      capnp compile -o<path of capnpc-swift-gen>:<output folder> <file>.capnp

    writes <output folder>/<file>.capnp.swift. Packages use the build plugin CapnProtoPlugin, which
    does this for every schema of a target.

    Options: --help, --version

    The schema compiler gives its plugins no arguments; these environment variables are read:

      CAPNPC_SWIFT_MODULES   the modules that hold the bindings of imported files, by file id:
                             '0x9e1...=Contacts 0xb82...=People+rpc'; '+rpc' behind a module says
                             that it uses CapnProtoRPC. The files of the command line are of the
                             module itself
      CAPNPC_SWIFT_RPC       1: the module itself uses CapnProtoRPC
      CAPNPC_SWIFT_VALUES    1: every struct that can have one gets a plain value
      CAPNPC_SWIFT_ACCESS    internal: nothing is public
      CAPNPC_SWIFT_FLAT      1: writes a/b.capnp.swift as a-b.capnp.swift
      CAPNPC_SWIFT_SOURCES   the folder in which to look for the lines of errors
    """
}

/// A mistake in the use of the command.
struct UsageError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
