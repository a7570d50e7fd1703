// Safety. The system reads and writes the buffers within the call that they are passed to: each is
// owned by this stack frame or borrowed for the call, and its length is passed with it. The control
// buffer is read only as far as the system says that it has written, with lengths checked against it.

import CapnProtoRPC
import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A Unix socket that is connected, with the calls that carry descriptors (`SCM_RIGHTS` in unix(7)).
struct UnixSocket: Sendable {
  /// Linux takes no more descriptors with one message.
  static var descriptorLimit: Int { 253 }

  private let descriptor: OpenDescriptor
  var rawValue: CInt { descriptor.rawValue }

  /// The socket does not wait from now on.
  ///
  /// - Throws: `IOError` if the descriptor is no Unix socket.
  init(_ descriptor: OpenDescriptor) throws {
    self.descriptor = descriptor
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isNamed = unsafe withUnsafeMutableBytes(of: &address) { bytes in
      unsafe getsockname(
        descriptor.rawValue, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
    }
    guard isNamed == 0 else { throw IOError(errnoCode: errno, reason: "getsockname") }
    guard address.ss_family == AF_UNIX else {
      throw IOError(errnoCode: EAFNOSUPPORT, reason: "no Unix socket")
    }
    var kind: CInt = 0
    length = socklen_t(MemoryLayout<CInt>.size)
    guard unsafe getsockopt(descriptor.rawValue, SOL_SOCKET, SO_TYPE, &kind, &length) == 0,
      kind == Self.streamKind
    else {
      throw IOError(errnoCode: EPROTOTYPE, reason: "no stream")
    }
    let flags = fcntl(descriptor.rawValue, F_GETFL, 0)
    guard flags >= 0, fcntl(descriptor.rawValue, F_SETFL, flags | O_NONBLOCK) >= 0 else {
      throw IOError(errnoCode: errno, reason: "fcntl")
    }
    #if canImport(Darwin)
      var on: CInt = 1
      _ = unsafe setsockopt(
        descriptor.rawValue, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<CInt>.size))
    #endif
  }

  /// Sends bytes, and descriptors with the first of them.
  ///
  /// - Returns: how many bytes are on their way; nil if the socket takes none now.
  /// - Throws: `IOError` if the peer is gone.
  func send(_ bytes: RawSpan, with descriptors: [CInt]) throws -> Int? {
    // A call for no bytes would send none of the descriptors either.
    guard bytes.byteCount > 0 else { return 0 }
    while true {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe Ancillary.withBuffer(descriptors) { control in
          unsafe message(UnsafeMutableRawBufferPointer(mutating: bytes), control) {
            unsafe sendmsg(rawValue, &$0, Self.sendFlags)
          }
        }
      }
      if count >= 0 { return count }
      switch errno {
      case EINTR: continue
      case EAGAIN, EWOULDBLOCK: return nil
      // So many are on their way that the system takes no more, or one is none that can be sent: the
      // capabilities go without them.
      case ETOOMANYREFS where !descriptors.isEmpty, EBADF where !descriptors.isEmpty,
        EINVAL where !descriptors.isEmpty:
        return try send(bytes, with: [])
      case let code: throw IOError(errnoCode: code, reason: "sendmsg")
      }
    }
  }

  /// What was there to read.
  enum Received {
    /// Bytes, which are in the buffer, and descriptors, which this process now owns.
    case bytes([CInt], isTruncated: Bool)
    /// Nothing is there now.
    case nothing
    /// Nothing more will come.
    case end
  }

  /// Adds bytes to the buffer, as many as it has room for without growing.
  ///
  /// - Parameters:
  ///   - buffer: gets the bytes.
  ///   - limit: how many descriptors to take; the system closes others.
  /// - Returns: what was there.
  /// - Throws: `IOError` if the connection has failed.
  func receive(into buffer: inout ByteBuffer, limit: Int) throws -> Received {
    while true {
      var descriptors: [CInt] = []
      var isTruncated = false
      let count = unsafe buffer.withUnsafeMutableWritableBytes { bytes in
        unsafe Ancillary.withBuffer([CInt](repeating: -1, count: limit)) { control in
          unsafe message(bytes, control) { header in
            let count = unsafe recvmsg(rawValue, &header, Self.receiveFlags)
            if count >= 0 {
              let length = min(Int(unsafe header.msg_controllen), control.count)
              descriptors = unsafe Ancillary.descriptors(
                in: UnsafeRawBufferPointer(rebasing: control[..<length]))
              isTruncated = unsafe header.msg_flags & CInt(MSG_CTRUNC) != 0
            }
            return count
          }
        }
      }
      if count > 0 {
        buffer.moveWriterIndex(forwardBy: count)
        #if canImport(Darwin)
          for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        #endif
        return .bytes(descriptors, isTruncated: isTruncated)
      }
      if count == 0 {
        for descriptor in descriptors { OpenDescriptor.close(descriptor) }
        return .end
      }
      switch errno {
      case EINTR: continue
      case EAGAIN, EWOULDBLOCK: return .nothing
      case let code: throw IOError(errnoCode: code, reason: "recvmsg")
      }
    }
  }

  /// Nothing more is sent.
  func shutDownOutput() { _ = shutdown(rawValue, CInt(SHUT_WR)) }

  /// Calls the body with a message header for the buffers.
  private func message(
    _ bytes: UnsafeMutableRawBufferPointer, _ control: UnsafeMutableRawBufferPointer,
    _ body: (inout msghdr) -> Int
  ) -> Int {
    var piece = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
    return unsafe withUnsafeMutablePointer(to: &piece) { piece in
      var header = unsafe msghdr()
      unsafe header.msg_iov = piece
      unsafe header.msg_iovlen = 1
      if unsafe !control.isEmpty {
        unsafe header.msg_control = control.baseAddress
        unsafe header.msg_controllen = numericCast(control.count)
      }
      return unsafe body(&header)
    }
  }

  #if canImport(Darwin)
    private static let streamKind = SOCK_STREAM
    private static let sendFlags: CInt = 0
    private static let receiveFlags: CInt = 0
  #else
    private static let streamKind = CInt(SOCK_STREAM.rawValue)
    private static let sendFlags = CInt(MSG_NOSIGNAL)
    private static let receiveFlags = CInt(MSG_CMSG_CLOEXEC)
  #endif
}

/// The layout of control messages (cmsg(3)), whose macros Swift cannot call.
private enum Ancillary {
  #if canImport(Darwin)
    static let alignment = MemoryLayout<UInt32>.alignment
    static let rights = SCM_RIGHTS
  #else
    static let alignment = MemoryLayout<Int>.alignment
    static let rights = CInt(SCM_RIGHTS)
  #endif

  static func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) & ~(alignment - 1) }
  static let headerBytes = aligned(MemoryLayout<cmsghdr>.size)

  /// Calls the body with a control buffer that holds one message with the descriptors: empty if there
  /// are none.
  static func withBuffer(
    _ descriptors: [CInt], _ body: (UnsafeMutableRawBufferPointer) -> Int
  ) -> Int {
    let payload = descriptors.count * MemoryLayout<CInt>.size
    // Without the padding at the end: the system would take it for room for one more.
    let bytes = descriptors.isEmpty ? 0 : headerBytes + payload
    return unsafe withUnsafeTemporaryAllocation(
      byteCount: bytes, alignment: MemoryLayout<cmsghdr>.alignment
    ) { buffer in
      guard bytes > 0 else { return unsafe body(buffer) }
      unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
      var header = cmsghdr()
      header.cmsg_len = numericCast(headerBytes + payload)
      header.cmsg_level = SOL_SOCKET
      header.cmsg_type = rights
      unsafe buffer.storeBytes(of: header, as: cmsghdr.self)
      for (index, descriptor) in descriptors.enumerated() {
        let offset = headerBytes + index * MemoryLayout<CInt>.size
        unsafe buffer.storeBytes(of: descriptor, toByteOffset: offset, as: CInt.self)
      }
      return unsafe body(buffer)
    }
  }

  /// The descriptors that the system has put into the control buffer.
  static func descriptors(in control: UnsafeRawBufferPointer) -> [CInt] {
    var found: [CInt] = []
    var offset = 0
    while offset + headerBytes <= control.count {
      let header = unsafe control.loadUnaligned(fromByteOffset: offset, as: cmsghdr.self)
      let length = min(Int(header.cmsg_len), control.count - offset)
      guard length >= headerBytes else { break }
      if header.cmsg_level == SOL_SOCKET, header.cmsg_type == rights {
        for index in 0..<(length - headerBytes) / MemoryLayout<CInt>.size {
          let place = offset + headerBytes + index * MemoryLayout<CInt>.size
          found.append(unsafe control.loadUnaligned(fromByteOffset: place, as: CInt.self))
        }
      }
      offset += aligned(length)
    }
    return found
  }
}
