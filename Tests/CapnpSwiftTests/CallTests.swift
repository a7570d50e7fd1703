import CapnProtoNIO
import CapnProtoRPC
import Foundation
import Testing

/// `capnp-swift call` against a server of this process.
@Suite(.timeLimit(.minutes(5))) struct CallTests {
  private struct Result: Sendable {
    let status: Int32
    let output: String
    let errors: String
  }

  private static let schema =
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "library.capnp").path

  private func call(
    _ expression: String, _ options: [String] = ["--interface", "Library", "--short"]
  ) async throws -> Result {
    let listener = try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in
      Capability(Library.Client.server(LibraryServer()))
    }
    let result = try await run(["\(listener.address)", Self.schema, expression] + options)
    await listener.close()
    return result
  }

  /// On a thread of its own: the server needs the others.
  private func run(_ arguments: [String], redirection: String = "") async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Swift.Result { try Self.run(arguments, redirection) })
      }
    }
  }

  private static func run(_ arguments: [String], _ redirection: String) throws -> Result {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments =
      [
        "-c", "exec \"$0\" call \"$@\" \(redirection)",
        CommandTests.executable("capnp-swift").path,
      ] + arguments
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // Both are short.
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    let complained = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: said, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }

  @Test func `the results of a call are printed as text`() async throws {
    let result = try await call("find(title = \"Ada (\\\")\", pages = [1, 2], shelf = physics)")
    #expect(result.errors == "")
    #expect(
      result.output == "(book = <external capability>, "
        + "found = (best = (book = <external capability>, score = 0.5), shelf = physics))\n")
    #expect(result.status == 0)
  }

  @Test func `calls are chained through capabilities in results`() async throws {
    for place in ["book", "found.best.book"] {
      let result = try await call("find(title = \"Ada\", pages = [7]) . \(place).page(number = 7)")
      #expect(result.errors == "")
      #expect(result.output == "(text = \"page 7 of Ada\")\n")
    }
  }

  @Test func `a field at the end is printed alone`() async throws {
    #expect(try await call("find(title = \"Ada\").found.best.score").output == "0.5\n")
  }

  @Test func `results are printed as JSON, which has no capabilities`() async throws {
    let options = ["--interface", "Library", "--short", "--json"]
    #expect(try await call("name()", options).output == "{\"text\":\"the library\"}\n")
    for expression in ["find(title = \"Ada\")", "find(title = \"Ada\").found.best.score"] {
      let result = try await call(expression, options)
      #expect(result.status != 0)
      #expect(!result.errors.isEmpty)
    }
  }

  @Test func `inherited methods are found`() async throws {
    #expect(try await call("name()").output == "(text = \"the library\")\n")
    #expect(try await call("find(title = \"Ada\").book.name()").output == "(text = \"Ada\")\n")
  }

  @Test func `a call that fails says why`() async throws {
    let result = try await call("find()")
    #expect(result.status == 1)
    #expect(result.errors == "capnp-swift: error: failed: no title\n")
    let late = try await call("never()", ["--interface", "Library", "--timeout", "1"])
    #expect(late.status == 1)
    #expect(late.errors.contains("no answer within 1 s (--timeout)"), "\(late.errors)")
    let nobody = try await run([
      "unix:/no/such/socket", Self.schema, "name()", "--interface", "Book",
    ])
    #expect(nobody.status == 1)
    #expect(nobody.errors.contains("cannot connect to unix:/no/such/socket"), "\(nobody.errors)")
  }

  @Test func `what a server says is shown escaped`() async throws {
    let refused = try await call(
      #"find(title = "no \x1b[2J\n\xc2\x9b")"#, ["--interface", "Library", "--trace"])
    #expect(refused.status == 1)
    let words = #"no \u{1b}[2J\n\u{9b}"#
    #expect(refused.errors.contains("error: failed: \(words)\n"), "\(refused.errors)")
    #expect(refused.errors.contains("exception failed \"\(words)\""), "\(refused.errors)")
    #expect(!refused.errors.unicodeScalars.contains { "\u{1b}\u{9b}".unicodeScalars.contains($0) })
    let named = #"find(title = "a\x1b\xc2\x9b\xe2\x80\xae").book.name()"#
    #expect(try await call(named).output == #"(text = "a\033\302\233\342\200\256")"# + "\n")
    let options = ["--interface", "Library", "--short", "--json"]
    #expect(
      try await call(named, options).output == #"{"text":"a\u001b\u009b\u202e"}"# + "\n")
  }

  @Test(arguments: ["0", "-1", "86401", "9223372036854775807", "9223372036854775808", "x"])
  func `a timeout out of range is refused with the limit`(timeout: String) async throws {
    let result = try await call("name()", ["--interface", "Library", "--timeout=\(timeout)"])
    #expect(result.status == 2)
    #expect(result.errors.contains("1 to 86400"), "\(result.errors)")
  }

  @Test func `results and a trace that cannot be written fail the call`() async throws {
    for redirection in ["> /dev/full", "--trace 2> /dev/full"] {
      let listener = try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in
        Capability(Library.Client.server(LibraryServer()))
      }
      let result = try await run(
        ["\(listener.address)", Self.schema, "name()", "--interface", "Library"],
        redirection: redirection)
      #expect(result.status == 1, "\(redirection)")
      await listener.close()
    }
  }

  @Test func `the wire is shown in words`() async throws {
    let result = try await call(
      "find(title = \"Ada\").book.name()", ["--interface", "Library", "--short", "--trace"])
    #expect(result.output == "(text = \"Ada\")\n")
    let lines = result.errors.split(separator: "\n")
    func has(_ words: String) -> Bool { lines.contains { $0.contains(words) } }
    #expect(has("-> bootstrap 0, "), "\(result.errors)")
    #expect(has("-> call 1 library.capnp:Library.find on promisedAnswer 0"), "\(result.errors)")
    #expect(has("-> call 2 library.capnp:Named.name on promisedAnswer 1.0"), "\(result.errors)")
    #expect(has("<- return 2 library.capnp:Named.name: results"), "\(result.errors)")
    #expect(!result.errors.contains("Ada"))
  }

  @Test(arguments: [
    ("lose()", "library.capnp:Library has no method 'lose'"),
    ("find(titel = \"Ada\")", "the arguments of 'find': 1:10: "),
    ("find(title = 1)", "the arguments of 'find': 1:10: "),
    ("find().shelf", "has no field 'shelf'"),
    ("find().found.best.score.more", "'.more' follows something that is no struct"),
    ("find().found.page()", "'page(...)' is called on something that is no capability"),
    ("find(", "expected ')' at character 6 of 'find('"),
    ("find()book", "expected '.' or the end at character 7"),
    ("find().", "expected a name at character 8"),
    ("find", "'find' has no method to begin with"),
  ])
  func `a call that does not fit the schema is refused in words`(
    expression: String, words: String
  ) async throws {
    let result = try await call(expression)
    #expect(result.status == 2)
    #expect(result.errors.contains(words), "\(result.errors)")
  }

  @Test func `the interface must be told when there are several`() async throws {
    let result = try await call("name()", [])
    #expect(result.status == 2)
    #expect(result.errors.contains("--interface, of Named, Library, Book"), "\(result.errors)")
  }
}
