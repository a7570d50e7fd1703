import CapnProto
import Foundation

/// The three descriptors that the command is started with.
enum StandardStreams {
  /// In place of those that are closed, so that no other file gets the number of one: reading and
  /// writing them fails.
  private static let placeholders: [FileHandle] = (STDIN_FILENO...STDERR_FILENO).compactMap {
    guard fcntl($0, F_GETFD) == -1 else { return nil }
    return $0 == STDIN_FILENO
      ? FileHandle(forWritingAtPath: "/dev/null") : FileHandle(forReadingAtPath: "/dev/null")
  }

  /// Makes every failure of a read or write an error that the command sees.
  static func prepare() {
    // A reader that has ended is an error of the write, with a message.
    signal(SIGPIPE, SIG_IGN)
    _ = placeholders
  }
}

/// The standard output of the command.
enum StandardOutput {
  /// Writes the bytes.
  ///
  /// - Throws: `CommandFailure.output`. A command that cannot write has failed, be it that the disk
  ///   is full or that the reader of a pipe has ended.
  static func write(_ bytes: [UInt8]) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(bytes))
    } catch {
      throw CommandFailure.output("the standard output cannot be written: \(error.inWords)")
    }
  }

  /// Writes a line.
  ///
  /// - Throws: as ``write(_:)``.
  static func write(line: String) throws { try write(Array((line + "\n").utf8)) }

  /// Writes values in text or JSON. A terminal gets escape sequences of the form instead of
  /// characters that would act on it.
  ///
  /// - Throws: as ``write(_:)``.
  static func write(_ text: [UInt8], of form: PrintedForm) throws {
    try write(isatty(STDOUT_FILENO) == 1 ? form.escapedForDisplay(text) : text)
  }
}

/// The standard error of the command.
enum StandardError {
  /// Writes a message of several lines, each escaped for display.
  ///
  /// - Throws: what the system says.
  static func write(_ message: String) throws {
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    let text = lines.map { String($0).escapedForDisplay + "\n" }.joined()
    try FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

/// A form of values that people read.
enum PrintedForm {
  case text, json

  /// The text with the escape sequences that the form has in place of characters that act on a
  /// terminal. They all stand in strings, but for the line feeds between values.
  func escapedForDisplay(_ text: [UInt8]) -> [UInt8] {
    let text = String(decoding: text, as: UTF8.self)
    guard text.escapedForDisplay != text else { return Array(text.utf8) }
    var escaped = ""
    for scalar in text.unicodeScalars {
      let character = String(scalar)
      if scalar == "\n" || character.escapedForDisplay == character {
        escaped += character
      } else {
        escaped += escape(scalar)
      }
    }
    return Array(escaped.utf8)
  }

  private func escape(_ scalar: Unicode.Scalar) -> String {
    func digits(_ number: some BinaryInteger, radix: Int, count: Int) -> String {
      let digits = String(number, radix: radix)
      return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
    return switch self {
    case .text:
      String(scalar).utf8.map { "\\" + digits($0, radix: 8, count: 3) }.joined()
    case .json:
      String(scalar).utf16.map { "\\u" + digits($0, radix: 16, count: 4) }.joined()
    }
  }
}

extension Error {
  /// What the system says is wrong, for an error of Foundation; else the error's description.
  var inWords: String {
    guard self is CocoaError || self is POSIXError || type(of: self) == NSError.self else {
      return "\(self)"
    }
    let error = self as NSError
    guard let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError,
      cause.domain == NSPOSIXErrorDomain
    else { return localizedDescription }
    return cause.localizedDescription
  }
}
