import Glibc

/// The plain log on the machine's serial console.
///
/// One call is one line and one write, so lines of different threads never mix. Characters that could
/// end a line or act on a terminal are shown as `?`: text that came from a peer cannot forge a line.
public enum BootLog {
  /// Writes one line, after the seconds since the kernel started, to standard output, or to standard
  /// error if standard output takes none.
  public static func line(_ text: String) {
    do throws(SystemCallError) {
      try write(text)
    } catch {
      // There is nobody left to tell of a failure of both.
      try? SystemCall.write(
        Array(format("\(text) (standard output: \(error))", uptime: SystemCall.uptime()).utf8),
        to: STDERR_FILENO)
    }
  }

  /// Writes one line as ``line(_:)`` does, to standard output only.
  ///
  /// - Throws: `SystemCallError` if the line cannot be written, or only a part of it.
  public static func write(_ text: String) throws(SystemCallError) {
    try SystemCall.write(
      Array(format(text, uptime: SystemCall.uptime()).utf8), to: STDOUT_FILENO)
  }

  static func format(_ text: String, uptime: Double) -> String {
    let milliseconds = Int((max(uptime, 0) * 1000).rounded())
    let seconds = String(milliseconds / 1000)
    let fraction = String(milliseconds % 1000 + 1000).dropFirst()
    let padding = String(repeating: " ", count: max(0, 5 - seconds.count))
    var line = "[\(padding)\(seconds).\(fraction)] "
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: line += "?"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line + "\n"
  }
}
