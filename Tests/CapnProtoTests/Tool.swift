import Foundation

/// A program that a test asks, on the machine's PATH.
enum Tool {
  struct Result {
    let status: Int32
    let output: [UInt8]
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Runs the program with the bytes on its standard input; errors go along with its output.
  static func run(_ arguments: [String], input: [UInt8] = []) throws -> Result {
    try inDirectory { directory in
      let (source, sink) = (directory.appending(path: "in"), directory.appending(path: "out"))
      try Data(input).write(to: source)
      try Data().write(to: sink)
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = arguments
      process.standardInput = try FileHandle(forReadingFrom: source)
      let output = try FileHandle(forWritingTo: sink)
      process.standardOutput = output
      process.standardError = output
      try process.run()
      process.waitUntilExit()
      return Result(status: process.terminationStatus, output: [UInt8](try Data(contentsOf: sink)))
    }
  }

  /// Calls the body with a new directory, which is removed after it.
  static func inDirectory<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory)
  }
}
