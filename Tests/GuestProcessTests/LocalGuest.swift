import CapnProto
import CapnProtoNIO
import Foundation
import RemoteSessionClient
import RemoteSessionSchema
import Testing

/// A program of this package that a test has started.
final class Program {
  private let process = Process()
  let folder: URL

  /// Starts the program, which was built beside the tests, with its output in files of the folder.
  init(_ name: String, _ arguments: [String], in folder: URL, output: String? = nil) throws {
    self.folder = folder
    process.executableURL = Self.path(of: name)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try Self.file(output.map { URL(filePath: $0) } ?? outputFile)
    process.standardError = try Self.file(errorFile)
    process.environment = ProcessInfo.processInfo.environment
      .merging(["REMOTE_SESSION_PASSWORD": "x"]) { $1 }
    try process.run()
  }

  static func path(of name: String) -> URL {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: name)
  }

  private static func file(_ url: URL) throws -> FileHandle {
    if !url.path.hasPrefix("/dev/") { try Data().write(to: url) }
    return try FileHandle(forWritingTo: url)
  }

  private var outputFile: URL { folder.appending(path: "output") }
  private var errorFile: URL { folder.appending(path: "errors") }

  var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }
  var isRunning: Bool { process.isRunning }

  func signal(_ number: Int32) { _ = kill(process.processIdentifier, number) }

  /// The status, once it has ended.
  func status() async -> Int32 {
    _ = await until { !self.process.isRunning }
    return process.isRunning ? -1 : process.terminationStatus
  }
}

/// Waits until the condition holds, for up to a minute.
func until(_ condition: () -> Bool) async -> Bool {
  for _ in 0..<6000 {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return false
}

/// A folder for the files of one test.
func temporaryFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory.appending(path: "guest-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

/// Writes a boot manifest that admits anonymous logins.
func writeManifest(to folder: URL, motd: String = "hello") throws -> String {
  let message = MessageBuilder()
  message.build(BootManifest.Builder.self) { manifest in
    manifest.hostname = "tested"
    manifest.motd = motd
    let listeners = manifest.initListeners(1)
    listeners[0].guestPort = 2327
    listeners[0].service = .remoteSessionGateway
    let profiles = manifest.initProfiles(1)
    profiles[0].name = "anonymous"
    profiles[0].initMethods(1)[0] = .anonymous
    let grants = profiles[0].initGrants(2)
    grants[0] = "session"
    grants[1] = "systemInfo"
  }
  let file = folder.appending(path: "manifest.bin")
  try Data(message.flattened()).write(to: file)
  return file.path
}

/// The guest as a process of this machine.
struct LocalGuest {
  let program: Program
  let port: Int

  init(in folder: URL, motd: String = "hello") async throws {
    let manifest = try writeManifest(to: folder, motd: motd)
    let program = try Program(
      "guest-init", ["--local", "--port", "0", "--manifest", manifest], in: folder)
    #expect(await until { program.output.contains("listening on") || !program.isRunning })
    let line = try #require(program.output.split(separator: "\n").last)
    port = try #require(line.split(separator: ":").last.flatMap { Int($0) })
    self.program = program
  }

  func connect() async throws -> GatewayClient {
    try await GatewayClient.connect(to: .tcp(host: "127.0.0.1", port: port))
  }
}
