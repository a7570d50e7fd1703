import ArgumentParser
import CapnProto
import Foundation

/// The command for messages and schemas.
@main struct CapnpSwift: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capnp-swift",
    abstract:
      "Convert Cap'n Proto messages, compare versions of schemas, call servers, and print traces of RPC.",
    version: "0.1.0",
    subcommands: [
      ConvertCommand.self, DecodeCommand.self, EncodeCommand.self, CompatCommand.self,
      CallCommand.self, TraceCommand.self,
    ])

  /// Exits with 0 when all is well, 1 where schemas or messages are at fault, 2 after a mistake in
  /// the use of the command or in a schema's source.
  static func main() async {
    StandardStreams.prepare()
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as CommandFailure {
      fail(error)
    } catch {
      if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
      // Help and version are errors too, of success.
      guard exitCode(for: error) == .success else {
        complain(fullMessage(for: error))
        Foundation.exit(2)
      }
      do {
        try StandardOutput.write(line: fullMessage(for: error))
        Foundation.exit(0)
      } catch {
        fail(error as? CommandFailure ?? .output("\(error)"))
      }
    }
  }

  private static func fail(_ failure: CommandFailure) -> Never {
    complain("capnp-swift: error: \(failure)")
    Foundation.exit(failure.status)
  }

  private static func complain(_ message: String) {
    // Where that cannot be written either, the exit status remains.
    try? StandardError.write(message)
  }
}

/// What ends the command with a message.
enum CommandFailure: Error, CustomStringConvertible {
  /// The schema cannot be had.
  case schema(String)
  /// A message cannot be converted, or a call failed.
  case message(String)
  /// What the command is asked for does not fit the schema.
  case usage(String)
  /// The standard output or error cannot be written.
  case output(String)

  var status: Int32 {
    switch self {
    case .schema, .usage: 2
    case .message, .output: 1
    }
  }

  /// The message on one line: parts of it may come from a peer or a file.
  var description: String {
    switch self {
    case .schema(let text), .message(let text), .usage(let text), .output(let text):
      text.escapedForDisplay
    }
  }
}
