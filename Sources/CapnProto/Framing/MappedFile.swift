// Safety. Owns a mapping that is made in `init` and unmapped in `deinit`; what is handed out of it
// depends on the file or keeps it. The mapping is read-only and is never written to, so it is sound
// to share it between tasks.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file whose bytes are read in memory without being copied there.
///
/// Nobody may cut the file short while it is mapped: the system ends a process that reads past the
/// end.
@safe public final class MappedFile: @unchecked Sendable {
  private let mapping: UnsafeRawBufferPointer

  /// Maps the file at the path.
  ///
  /// - Throws: ``MappedFileError`` if the file cannot be opened or mapped.
  public init(path: String) throws(MappedFileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw MappedFileError(path: path, code: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw MappedFileError(path: path, code: errno)
    }
    let count = Int(status.st_size)
    guard count > 0 else {
      unsafe mapping = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let start = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let start = unsafe start, unsafe start != MAP_FAILED else {
      throw MappedFileError(path: path, code: errno)
    }
    unsafe mapping = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit {
    if let start = unsafe mapping.baseAddress {
      _ = unsafe munmap(UnsafeMutableRawPointer(mutating: start), mapping.count)
    }
  }

  /// Bytes.
  public var count: Int { unsafe mapping.count }

  /// The message whose frame starts at the offset, in place. It keeps the file mapped.
  ///
  /// - Parameters:
  ///   - offset: bytes; moved past the frame.
  ///   - frameLimits: bounds on the frame.
  ///   - limits: bounds on reading the message.
  /// - Returns: the message.
  /// - Throws: ``FramingError`` if the frame is cut off or exceeds the limits.
  public func message(
    at offset: inout Int, frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard
  ) throws(FramingError) -> MessageReader {
    let start = unsafe min(max(0, offset), mapping.count)
    let rest = unsafe UnsafeRawBufferPointer(rebasing: mapping[start...])
    let table = try unsafe SegmentTable(whole: rest.bytes, limits: frameLimits)
    offset = start + table.frameBytes
    // Never written to: only builders write, and none is made over such an arena. A table was found,
    // so there are bytes.
    let words = unsafe UnsafeMutableRawPointer(
      mutating: rest.baseAddress.unsafelyUnwrapped + table.bytes)
    return MessageReader(
      arena: unsafe .borrowing(words, table, limits: limits, from: self),
      limits: limits)
  }

  /// The message whose frame the file starts with, in place. It keeps the file mapped.
  ///
  /// - Throws: ``FramingError`` if the frame is cut off or exceeds the limits.
  public func message(
    frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard
  ) throws(FramingError) -> MessageReader {
    var offset = 0
    return try message(at: &offset, frameLimits: frameLimits, limits: limits)
  }
}

/// Why a file could not be mapped.
public struct MappedFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file's path.
  public let path: String
  /// The system's error number.
  public let code: Int32

  /// The error in words.
  public var description: String { "\(path): \(unsafe String(cString: strerror(code)))" }
}
