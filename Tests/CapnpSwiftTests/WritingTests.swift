import Foundation
import Testing

/// Commands that cannot write what they are asked for, or cannot read.
extension CommandTests {
  private static let files = [
    "1.capnp": "@0x9a8b7c6d5e4f3021;\nstruct S { a @0 :Int8; }",
    "2.capnp": "@0x9a8b7c6d5e4f3021;\nstruct S { a @0 :Int8; b @1 :Text; }",
    "t.json":
      #"{"nanoseconds":1,"connection":7,"direction":"sent","bytes":4,"kind":"bootstrap"}"#,
    "s.txt": "(a = 1)",
  ]
  private static let commands = [
    "encode 1.capnp S", "decode --flat 1.capnp S", "convert text:json 1.capnp S",
    "convert text:packed 1.capnp S", "compat 1.capnp 2.capnp", "compat --json 1.capnp 2.capnp",
    "trace t.json", "trace --json t.json", "--help", "--version", "convert --help",
  ]

  /// Runs a command line of a shell, in which `$0` is the program.
  private func shell(
    _ line: String, program: String = "capnp-swift", in folder: URL
  ) throws -> Result {
    try run(
      URL(filePath: "/bin/sh"), ["-c", line, Self.executable(program).path], input: [], in: folder)
  }

  @Test(arguments: commands) func `a command that cannot write its output fails`(
    command: String
  ) throws {
    try withFiles(Self.files) { folder in
      // Eight zero bytes are a flat message.
      let input =
        command.hasPrefix("decode") ? "head -c 8 /dev/zero |" : "cat s.txt |"
      let good = try shell("\(input) \"$0\" \(command) > written", in: folder)
      #expect(good.status == 0, "\(good.errors)")
      let full = try shell("\(input) \"$0\" \(command) > /dev/full", in: folder)
      #expect(full.status == 1)
      #expect(
        full.errors.contains("the standard output cannot be written: "), "\(full.errors)")
      #expect(full.errors.contains("No space left on device"), "\(full.errors)")
      // The reader ends before the command begins.
      let pipe = try shell(
        "mkfifo p; true < p & exec 3> p; wait; \(input) \"$0\" \(command) >&3", in: folder)
      #expect(pipe.status == 1)
      #expect(pipe.errors.contains("Broken pipe"), "\(pipe.errors)")
      let closed = try shell("\(input) \"$0\" \(command) >&-", in: folder)
      #expect(closed.status == 1, "\(closed.errors)")
    }
  }

  @Test(arguments: ["--nonsense", "decode none.capnp S", "convert text:binary 1.capnp T"])
  func `an error that cannot be written is still the exit status`(command: String) throws {
    try withFiles(Self.files) { folder in
      let result = try shell("\"$0\" \(command) 2> /dev/full", in: folder)
      #expect(result.status == 2)
    }
  }

  @Test func `the generator fails if it cannot write`() throws {
    try withFiles(Self.files) { folder in
      for option in ["--help", "--version"] {
        let result = try shell(
          "\"$0\" \(option) > /dev/full", program: "capnpc-swift-gen", in: folder)
        #expect(result.status == 1)
        #expect(result.errors.contains("No space left on device"), "\(result.errors)")
      }
      let failing = try shell(
        "\"$0\" --nonsense 2> /dev/full", program: "capnpc-swift-gen", in: folder)
      #expect(failing.status == 1)
      let taken = try shell(
        "mkdir 1.capnp.swift; capnp compile -o- 1.capnp | \"$0\"", program: "capnpc-swift-gen",
        in: folder)
      #expect(taken.status == 1)
      #expect(taken.errors.hasPrefix("capnpc-swift-gen: error: "), "\(taken.errors)")
      #expect(taken.errors.contains("1.capnp.swift"), "\(taken.errors)")
    }
  }

  @Test func `a directory as input is named`() throws {
    try withFiles(Self.files) { folder in
      for command in ["decode 1.capnp S", "convert binary:packed", "trace -", "trace ."] {
        let result = try shell("\"$0\" \(command) < .", in: folder)
        #expect(result.status == 1)
        #expect(result.errors.contains("cannot be read: "), "\(result.errors)")
        #expect(result.errors.contains("s a directory"), "\(result.errors)")
      }
      let schema = try shell("\"$0\" decode . S < s.txt", in: folder)
      #expect(schema.status == 2)
      #expect(schema.errors.contains(". is a directory"), "\(schema.errors)")
      let request = try shell("\"$0\" < .", program: "capnpc-swift-gen", in: folder)
      #expect(request.status == 1)
      #expect(request.errors.contains("s a directory"), "\(request.errors)")
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a pipe as schema is refused`() throws {
    try withFiles(Self.files) { folder in
      let result = try shell("mkfifo p; ln -s p q; \"$0\" decode q S < s.txt", in: folder)
      #expect(result.status == 2)
      #expect(result.errors.contains("q is not a regular file"), "\(result.errors)")
    }
  }

  @Test(.timeLimit(.minutes(1))) func `the schema compiler ends with its parent`() throws {
    let files = ["1.capnp": "@0x9a8b7c6d5e4f3021;\nusing P = import \"p\";"]
    try withFiles(files) { folder in
      let made = try shell("mkfifo p", in: folder)
      #expect(made.status == 0)
      let process = Process()
      process.executableURL = Self.executable("capnp-swift")
      process.arguments = ["decode", folder.appending(path: "1.capnp").path, "S"]
      process.standardInput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      func compilers() -> Int {
        let ids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return ids.count { id in
          let line = (try? String(contentsOfFile: "/proc/\(id)/cmdline", encoding: .utf8)) ?? ""
          return line.hasPrefix("capnp\0compile\0") && line.contains(folder.lastPathComponent)
        }
      }
      func waits(_ condition: () -> Bool) -> Bool {
        (0..<10_000).contains { _ in
          if condition() { return true }
          usleep(1000)
          return false
        }
      }
      // It waits for a writer of the pipe.
      #expect(waits { compilers() == 1 })
      // Threads of the tests block signals, and so do the processes that they start; not this one.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(waits { compilers() == 0 })
    }
  }

  @Test func `text of files is shown escaped`() throws {
    let trace = """
      {"nanoseconds":1,"connection":7,"direction":"sent","bytes":4,"kind":"call","id":1,\
      "interface":"0x8a1d4e5f60718293","method":0,"target":"\\u001b[2J\\nx","reason":"\\u009b1m"}
      """
    try withFiles(Self.files.merging(["t.json": trace]) { $1 }) { folder in
      let result = try run(["trace", "t.json"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains(#"on \u{1b}[2J\nx"#), "\(result.text)")
      #expect(result.text.contains(#""\u{9b}1m""#), "\(result.text)")
      let unknown = try run(
        ["convert", "text:binary", "1.capnp", "S"], input: Array("(a = \"\u{1b}[2J\u{9b}\")".utf8),
        in: folder)
      #expect(unknown.status == 1)
      let name = try run(["decode", "1.capnp", "\u{1b}[2J"], in: folder)
      #expect(name.status == 2)
      let number = try run(
        ["convert", "json:binary", "1.capnp", "S"],
        input: Array(#"{"a": "\u001b[2J\n\u202e"}"#.utf8), in: folder)
      #expect(number.status == 1)
      #expect(number.errors.contains(#"'\u{1b}[2J\n\u{202e}' is no number"#), "\(number.errors)")
      for result in [result, unknown, name, number] {
        #expect(!(result.text + result.errors).unicodeScalars.contains("\u{1b}"))
      }
    }
  }
}
