import CapnProto
import Foundation
import Synchronization

/// Standard output, as every command writes to it.
enum StandardOutput {
  /// Writes a line. Text of the guest may be in it: what could act on a terminal is escaped.
  ///
  /// - Throws: ``CannotWrite`` if the line cannot be written: a command whose output is lost fails.
  static func line(_ text: String) throws { try write(text.escapedForDisplay + "\n") }

  /// Writes text of several lines as it is.
  ///
  /// - Throws: ``CannotWrite``.
  static func write(_ text: String) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      throw CannotWrite(what: "standard output", reason: error.localizedDescription)
    }
  }
}

/// Output that could not be written.
struct CannotWrite: Error, CustomStringConvertible {
  let what: String
  let reason: String
  var description: String { "cannot write to \(what): \(reason)" }
}

/// The first error of several, for closures that cannot throw.
final class FirstError: Sendable {
  private let error = Mutex<(any Error)?>(nil)

  /// Runs the body, and keeps its error if it is the first one.
  func keep(_ body: () throws -> Void) {
    do { try body() } catch { self.error.withLock { $0 = $0 ?? error } }
  }

  /// Throws the error that was kept, if there is one.
  func check() throws { if let error = error.withLock({ $0 }) { throw error } }
}
