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
  /// The descriptor. It must not be closed by others, nor used once this object is gone.
  public let rawValue: CInt
  private let whenClosed: (@Sendable () -> Void)?

  /// Owns a descriptor that is open and that nobody else closes.
  public convenience init(owning rawValue: CInt) { self.init(owning: rawValue, whenClosed: nil) }

  package init(owning rawValue: CInt, whenClosed: (@Sendable () -> Void)?) {
    self.rawValue = rawValue
    self.whenClosed = whenClosed
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

  deinit {
    // Whatever it says, the descriptor is gone.
    _ = close(rawValue)
    whenClosed?()
  }
}
