import Foundation
import Testing

/// `capnp-swift trace` on recorded traces.
extension CommandTests {
  private static let schema = """
    @0xd0a5bd8d1b1b4a6f;
    interface Library @0x8a1d4e5f60718293 { find @0 () -> (); never @1 (); }
    """
  private static let trace = """
    {"nanoseconds":1000,"connection":7,"direction":"sent","bytes":40,"kind":"bootstrap","id":0}
    {"nanoseconds":2000000,"connection":7,"direction":"sent","bytes":96,"kind":"call","id":1,\
    "interface":"0x8a1d4e5f60718293","method":0,"target":"promisedAnswer 0"}
    {"nanoseconds":2500000,"connection":7,"direction":"sent","bytes":96,"kind":"call","id":2,\
    "interface":"0x8a1d4e5f60718293","method":1,"target":"promisedAnswer 0"}
    {"nanoseconds":5250000,"connection":7,"direction":"received","bytes":48,"kind":"return","id":1,\
    "failure":"failed","dropped":3}
    """

  @Test func aTraceIsPrintedInWords() throws {
    try withFiles(["t.json": Self.trace + "\n", "l.capnp": Self.schema]) { folder in
      let result = try run(["trace", "t.json", "--schema", "l.capnp"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.text == """
          0.000001 #7 -> bootstrap 0, 40 bytes
          0.002000 #7 -> call 1 l.capnp:Library.find on promisedAnswer 0, 96 bytes
          0.002500 #7 -> call 2 l.capnp:Library.never on promisedAnswer 0, 96 bytes
          (3 records are missing)
          0.005250 #7 <- return 1 l.capnp:Library.find: exception failed, 48 bytes, after 3.250 ms
          l.capnp:Library.find: 1 returns, 1 failed, median 3.250 ms, longest 3.250 ms
          no return of bootstrap, called on #7 at 0.000001 s
          no return of l.capnp:Library.never, called on #7 at 0.002500 s

          """)
    }
  }

  @Test func aTraceIsPrintedAsJSONWithNamesAndTimes() throws {
    // The last line may lack its end.
    try withFiles(["t.json": Self.trace, "l.capnp": Self.schema]) { folder in
      let result = try run(["trace", "t.json", "--json", "--schema", "l.capnp"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.text.split(separator: "\n")
      #expect(lines.count == 4)
      let last = try #require(
        JSONSerialization.jsonObject(with: Data(lines[3].utf8)) as? [String: Any])
      #expect(last["name"] as? String == "l.capnp:Library.find")
      #expect(last["latency"] as? Int == 3_250_000)
      #expect(last["dropped"] as? Int == 3)
    }
  }

  @Test func methodsWithoutSchemaAreNumbers() throws {
    try withFiles(["t.json": Self.trace]) { folder in
      let result = try run(["trace", "t.json"], in: folder)
      #expect(result.text.contains("call 1 0x8a1d4e5f60718293.@0 on promisedAnswer 0"))
    }
  }

  @Test(arguments: [
    ("{\"nanoseconds\":1}", "'connection' is missing"),
    ("nonsense", "t.json:2: "),
    ("{\"nanoseconds\":\"x\"}", "t.json:2: no record of a trace"),
    (
      "{\"nanoseconds\":1,\"connection\":1,\"direction\":\"up\",\"bytes\":1,\"kind\":\"call\"}",
      "'up' is not known"
    ),
    (
      "{\"nanoseconds\":1,\"connection\":1,\"direction\":\"sent\",\"bytes\":1,\"kind\":\"call\","
        + "\"interface\":\"7\"}", "'7' is no interface's id"
    ),
  ])
  func aLineThatIsNoRecordIsNamed(line: String, words: String) throws {
    let first = Self.trace.prefix { $0 != "\n" }
    try withFiles(["t.json": "\(first)\n\(line)\n"]) { folder in
      let result = try run(["trace", "t.json"], in: folder)
      #expect(result.status == 1)
      #expect(result.errors.contains(words), "\(result.errors)")
      #expect(result.text == "0.000001 #7 -> bootstrap 0, 40 bytes\n")
    }
  }

  @Test func aTraceThatIsNotThereIsNamed() throws {
    try withFiles([:]) { folder in
      let result = try run(["trace", "none.json"], in: folder)
      #expect(result.status == 1)
      #expect(result.errors.contains("none.json: the file cannot be read"))
    }
  }
}
