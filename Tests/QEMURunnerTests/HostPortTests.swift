import Foundation
import Glibc
import Testing

@testable import QEMURunner

@Suite struct HostPortTests {
  /// Holds a port of 127.0.0.1 while `body` runs.
  private func withTakenPort(_ body: (UInt16) throws -> Void) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    defer { _ = close(descriptor) }
    let port = try HostPort.preferred(0).choose()
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let isBound = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    try #require(isBound && listen(descriptor, 1) == 0)
    try body(port)
  }

  @Test func aFreePreferredPortIsTaken() throws {
    let port = try HostPort.preferred(0).choose()
    #expect(port != 0)
    #expect(try HostPort.preferred(port).choose() == port)
    #expect(try HostPort.exactly(port).choose() == port)
  }

  @Test func aPreferredPortInUseGivesWayToAnother() throws {
    try withTakenPort { port in
      let other = try HostPort.preferred(port).choose()
      #expect(other != port)
      #expect(other != 0)
    }
  }

  @Test func aNamedPortInUseIsAnErrorThatSaysWhatToDo() throws {
    try withTakenPort { port in
      let error = #expect(throws: RunnerError.portInUse(port)) {
        try HostPort.exactly(port).choose()
      }
      let text = try #require(error?.description)
      #expect(text.hasPrefix("port \(port) is in use"))
      #expect(text.contains("--port"))
    }
  }
}
