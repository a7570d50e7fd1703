import ArgumentParser
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
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as CommandFailure {
      complain("capnp-swift: error: \(error)")
      Foundation.exit(error.status)
    } catch {
      // Help and version are errors too, of success.
      if exitCode(for: error) == .success { exit(withError: error) }
      if error is ExitCode { exit(withError: error) }
      complain(fullMessage(for: error))
      Foundation.exit(2)
    }
  }

  static func complain(_ message: String) {
    FileHandle.standardError.write(Data((message + "\n").utf8))
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

  var status: Int32 {
    switch self {
    case .schema, .usage: 2
    case .message: 1
    }
  }

  var description: String {
    switch self {
    case .schema(let text), .message(let text), .usage(let text): text
    }
  }
}
