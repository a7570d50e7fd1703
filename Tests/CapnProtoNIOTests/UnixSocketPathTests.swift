import CapnProtoNIO
import CapnProtoRPC
import Foundation
import Testing

#if canImport(Darwin)
  private typealias SocketType = CInt
  private func number(of type: SocketType) -> CInt { type }
#else
  private typealias SocketType = __socket_type
  private func number(of type: SocketType) -> CInt { CInt(type.rawValue) }
#endif

@Suite(.timeLimit(.minutes(5))) struct UnixSocketPathTests {
  private func temporaryPath() -> String { "/tmp/capnp-\(UUID().uuidString.prefix(13)).sock" }

  /// A socket file whose process is gone.
  private func leaveSocket(at path: String, type: SocketType = SOCK_STREAM) throws {
    close(try bindSocket(at: path, type: type))
  }

  /// A socket that is bound and does not listen.
  private func bindSocket(at path: String, type: SocketType = SOCK_STREAM) throws -> CInt {
    let descriptor = socket(AF_UNIX, number(of: type), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(result == 0)
    return descriptor
  }

  private func listen(on path: String) async throws -> RPCListener {
    try await RPCListener.listen(on: .unix(path: path)) { _ in nil }
  }

  private func problem(listeningOn address: RPCAddress) async -> String {
    let error = await #expect(throws: RPCError.self) {
      _ = try await RPCListener.listen(on: address) { _ in nil }
    }
    #expect(error?.kind == .failed)
    return error?.reason ?? ""
  }

  @Test(arguments: [
    RPCAddress.unix(path: ""), .unix(path: "/tmp/a\0b"),
    .unix(path: "/tmp/" + String(repeating: "x", count: 99)), .tcp(host: "127.0.0.1", port: 70_000),
    .tcp(host: "127.0.0.1", port: -1), .tcp(host: "127.0.0.1", port: .max),
  ])
  func `an address that cannot be is a failure, not a connection that is lost`(
    _ address: RPCAddress
  ) async {
    var limits = ConnectionLimits()
    for descriptors in [0, 1] {
      limits.descriptors = descriptors
      let error = await #expect(throws: RPCError.self) {
        _ = try await RPCConnector.connect(to: address, limits: limits)
      }
      #expect(error?.kind == .failed)
      #expect(error?.reason.contains("Error") == false)
    }
    #expect(await problem(listeningOn: address).contains("Error") == false)
  }

  @Test func `a port of 0 can be listened on and not be connected to`() async throws {
    let error = await #expect(throws: RPCError.self) {
      _ = try await RPCConnector.connect(to: .tcp(host: "127.0.0.1", port: 0))
    }
    #expect(error?.kind == .failed)
    #expect(error?.reason.hasSuffix("the port is 0, and must be 1 to 65535") == true)
  }

  @Test func `the longest path works, and the limit is named`() async throws {
    let path = "/tmp/" + UUID().uuidString + String(repeating: "x", count: 103 - 5 - 36)
    let listener = try await listen(on: path)
    let connection = try await RPCConnector.connect(to: .unix(path: path))
    connection.close()
    await listener.close()
    unlink(path)
    #expect(
      await problem(listeningOn: .unix(path: path + "x"))
        .contains("has 104 bytes, and the limit is 103"))
    #expect(throws: RPCError.self) { try RPCAddress(parsing: "unix:\(path)x") }
  }

  @Test func `a socket whose process is gone is replaced`() async throws {
    let path = temporaryPath()
    defer { unlink(path) }
    for type in [SOCK_STREAM, SOCK_DGRAM] {
      unlink(path)
      try leaveSocket(at: path, type: type)
      let listener = try await listen(on: path)
      let connection = try await RPCConnector.connect(to: .unix(path: path))
      connection.close()
      await listener.close()
    }
    // A listener that was closed leaves its file.
    await (try await listen(on: path)).close()
  }

  @Test func `a live listener keeps its socket and is named`() async throws {
    let path = temporaryPath()
    defer { unlink(path) }
    let listener = try await listen(on: path)
    #expect(
      await problem(listeningOn: .unix(path: path)).contains(
        "the process \(getpid()) has a socket there"))
    let connection = try await RPCConnector.connect(to: .unix(path: path))
    connection.close()
    await listener.close()
  }

  @Test func `a socket that is bound and does not listen yet is not stolen`() async throws {
    let path = temporaryPath()
    defer { unlink(path) }
    let descriptor = try bindSocket(at: path)
    #expect(await problem(listeningOn: .unix(path: path)).contains("a process has a socket there"))
    close(descriptor)
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func `a file that is not a socket stays`() async throws {
    let path = temporaryPath()
    defer { unlink(path) }
    try Data("text".utf8).write(to: URL(filePath: path))
    #expect(await problem(listeningOn: .unix(path: path)).contains("not a socket"))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "text")
  }

  @Test func `of many listeners that find an abandoned socket one gets the path`() async throws {
    for _ in 1...10 {
      let path = temporaryPath()
      defer { unlink(path) }
      try leaveSocket(at: path)
      let listeners = await withTaskGroup(of: RPCListener?.self) { group in
        for _ in 1...8 { group.addTask { try? await self.listen(on: path) } }
        return await group.reduce(into: [RPCListener]()) {
          if let listener = $1 { $0.append(listener) }
        }
      }
      #expect(listeners.count == 1)
      let connection = try await RPCConnector.connect(to: .unix(path: path))
      connection.close()
      for listener in listeners { await listener.close() }
    }
  }
}
