// Safety. The C library fills a buffer of this file's own for the length of a call, and is given no
// more than its length.

import CapnProtoNIO
import CapnProtoRPC
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What one of many things that are held takes in memory, at the client and at its server.
struct Holding {
  let address: RPCAddress
  /// The server's process.
  let server: Int

  /// Connections on which one call was made each, and nothing happens any more.
  func connections(_ count: Int) async throws {
    var held: [RPCConnection] = []
    func open(_ count: Int) async throws {
      for _ in 0..<count {
        let connection = try await RPCConnector.connect(to: address)
        try await connection.bootstrap(as: Ping.Client.self).ping { $0.n = 1 }.finished()
        held.append(connection)
      }
    }
    // What the first ones take is for all.
    try await open(32)
    let before = (memory(of: nil), memory(of: server))
    try await open(count)
    report("connections", count, before, (memory(of: nil), memory(of: server)))
    for connection in held { connection.close() }
  }

  /// Capabilities of the server's that the client holds.
  func capabilities(_ count: Int) async throws {
    let connection = try await RPCConnector.connect(to: address)
    let ping = connection.bootstrap(as: Ping.Client.self)
    var held: [Ping.Client] = []
    held.reserveCapacity(count + 1024)
    func fetch(_ count: Int) async throws {
      for _ in 0..<count {
        if let next = try await ping.next().results({ try $0.ping }) { held.append(next) }
      }
    }
    try await fetch(1024)
    let before = (memory(of: nil), memory(of: server))
    try await fetch(count)
    report("capabilities", count, before, (memory(of: nil), memory(of: server)))
    connection.close()
  }

  private func report(
    _ what: String, _ count: Int, _ before: (client: Int, server: Int),
    _ after: (client: Int, server: Int)
  ) {
    print(
      "{\"case\":\"\(what)\",\"count\":\(count),"
        + "\"clientBytes\":\((after.client - before.client) / count),"
        + "\"serverBytes\":\((after.server - before.server) / count)}")
  }

  /// Bytes of the process that are in memory; nil is this one.
  private func memory(of process: Int?) -> Int {
    guard let file = unsafe fopen("/proc/\(process.map(String.init) ?? "self")/statm", "r") else {
      fail("ping: no /proc to read the memory of a process from", code: 69)
    }
    defer { unsafe fclose(file) }
    var line = [UInt8](repeating: 0, count: 128)
    let length = unsafe line.withUnsafeMutableBytes { bytes in
      unsafe fread(bytes.baseAddress, 1, bytes.count, file)
    }
    let fields = String(decoding: line[..<length], as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else {
      fail("ping: /proc says nothing of the memory of a process", code: 69)
    }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
