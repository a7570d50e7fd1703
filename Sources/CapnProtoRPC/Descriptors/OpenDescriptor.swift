public import CapTP

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A descriptor of the operating system that this process owns: closed when the last holder of this
/// object lets go of it.
public final class OpenDescriptor: AttachedDescriptor {
  /// The descriptor. It must not be closed by others, nor used once this object is gone:
  /// ``withDescriptor(_:)`` keeps that.
  public let rawValue: CInt
  private let close: (@Sendable (CInt) -> Void)?

  /// Owns a descriptor that is open and that nobody else closes.
  public convenience init(owning rawValue: CInt) { self.init(owning: rawValue, closedBy: nil) }

  /// Owns a descriptor that the closure closes in the end; nil to close it at once.
  package init(owning rawValue: CInt, closedBy close: (@Sendable (CInt) -> Void)?) {
    self.rawValue = rawValue
    self.close = close
  }

  /// Calls the body with the descriptor, which is open for as long.
  ///
  /// - Returns: what the body returns.
  /// - Throws: what the body throws.
  public func withDescriptor<Value>(_ body: (CInt) throws -> Value) rethrows -> Value {
    try withExtendedLifetime(self) { try body(rawValue) }
  }

  /// Owns another descriptor of what a descriptor stands for that belongs to somebody else. Programs
  /// that this process starts do not inherit it.
  ///
  /// - Throws: `RPCError` if the descriptor is not open, or the process has as many as it may.
  public convenience init(duplicating rawValue: CInt) throws(RPCError) {
    let duplicate = fcntl(rawValue, F_DUPFD_CLOEXEC, 0)
    guard duplicate >= 0 else {
      throw .failed("a descriptor cannot be duplicated (error \(errno))")
    }
    self.init(owning: duplicate)
  }

  deinit { if let close { close(rawValue) } else { Self.close(rawValue) } }

  /// Closes a descriptor, which is gone whatever the system says.
  package static func close(_ rawValue: CInt) {
    #if canImport(Darwin)
      _ = Darwin.close(rawValue)
    #elseif canImport(Musl)
      _ = Musl.close(rawValue)
    #else
      _ = Glibc.close(rawValue)
    #endif
  }
}
