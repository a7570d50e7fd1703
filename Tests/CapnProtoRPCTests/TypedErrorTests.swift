import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct TypedErrorTests {
  private func thrown(_ error: any Error) async throws -> RPCError {
    let sink = SinkObject { _ in throw error }
    let (connection, _) = InMemoryNetwork.connect(server: Capability(Sink.Client.server(sink)))
    let client = connection.bootstrap(as: Sink.Client.self)
    return try #require(
      await #expect(throws: RPCError.self) {
        try await client.write()
        try await Capability(client).finishStream()
      })
  }

  @Test func `an error arrives with its type`() async throws {
    let error = try await thrown(DiskFullError(bytesLeft: 7, path: "archive"))
    #expect(error.kind == .overloaded)
    #expect(error.reason == "the disk is full")
    #expect(try error.typed(as: DiskFullError.self) == DiskFullError(bytesLeft: 7, path: "archive"))
    #expect(try error.typed(as: OtherError.self) == nil)
  }

  @Test func `an error without a type has none at the caller`() async throws {
    let error = try await thrown(RPCError.failed("no"))
    #expect(error == .failed("no"))
    #expect(try error.typed(as: DiskFullError.self) == nil)
  }

  @Test func `a payload that is no message is an error of its own`() throws {
    for bytes: [UInt8] in [[], [1], [UInt8](repeating: 0xff, count: 64)] {
      let error = RPCError(
        .failed, "no", details: [RPCError.Detail(id: DiskFull._typeID, bytes: bytes)])
      #expect(throws: (any Error).self) { try error.typed(as: DiskFullError.self) }
    }
  }
}

private struct DiskFullError: TypedRPCError, Equatable {
  let bytesLeft: UInt64
  let path: String

  init(bytesLeft: UInt64, path: String) {
    self.bytesLeft = bytesLeft
    self.path = path
  }

  typealias Payload = DiskFull
  var rpcErrorKind: RPCError.Kind { .overloaded }
  var rpcErrorReason: String { "the disk is full" }

  func write(to payload: DiskFull.Builder) {
    payload.bytesLeft = bytesLeft
    payload.path = path
  }

  init(_ payload: DiskFull.Reader) throws(DecodingError) {
    bytesLeft = payload.bytesLeft
    path = try payload.path.string
  }
}

private struct OtherError: TypedRPCError, Equatable {
  typealias Payload = Other
  var rpcErrorReason: String { "other" }
  func write(to payload: Other.Builder) {}
  init(_ payload: Other.Reader) throws(DecodingError) {}
}
