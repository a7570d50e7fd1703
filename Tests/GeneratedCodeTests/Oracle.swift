import Foundation

/// The `capnp` command, whose idea of the encoding ours is compared with.
enum Oracle {
  /// The message as text.
  static func decode(
    _ bytes: [UInt8], as type: String, in schema: String = "features"
  ) throws -> String {
    String(
      decoding: try run(["decode", "--quiet", "--short"] + path(schema) + [type], input: bytes),
      as: UTF8.self
    )
    .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The text as a message.
  static func encode(
    _ text: String, as type: String, in schema: String = "features"
  ) throws -> [UInt8] {
    try run(["encode"] + path(schema) + [type], input: Array(text.utf8))
  }

  /// A constant of the schema as text.
  static func evaluate(_ name: String) throws -> String {
    String(
      decoding: try run(["eval", "--short"] + path("features") + [name], input: []), as: UTF8.self
    )
    .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func path(_ schema: String) -> [String] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let standard = folder.appending(path: "../../include").standardizedFileURL
    return [
      "-I\(standard.path(percentEncoded: false))",
      folder.appending(path: "\(schema).capnp").path(percentEncoded: false),
    ]
  }

  private static func run(_ arguments: [String], input: [UInt8]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["capnp"] + arguments
    let (standardInput, output) = (Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = output
    try process.run()
    try standardInput.fileHandleForWriting.write(contentsOf: Data(input))
    try standardInput.fileHandleForWriting.close()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw OracleError(arguments: arguments, status: process.terminationStatus)
    }
    return Array(bytes)
  }
}

struct OracleError: Error {
  let arguments: [String]
  let status: Int32
}
