import Glibc

/// The plain log on the machine's serial console.
///
/// One call is one line and one write, so lines of different threads never mix. Control
/// characters in a text are shown as `?`: text that came from a peer cannot forge a line.
public enum BootLog {
  /// Writes one line, after the seconds since the kernel started.
  public static func line(_ text: String) {
    SystemCall.write(Array(format(text, uptime: SystemCall.uptime()).utf8), to: STDOUT_FILENO)
  }

  static func format(_ text: String, uptime: Double) -> String {
    let milliseconds = Int((max(uptime, 0) * 1000).rounded())
    let seconds = String(milliseconds / 1000)
    let fraction = String(milliseconds % 1000 + 1000).dropFirst()
    let padding = String(repeating: " ", count: max(0, 5 - seconds.count))
    var line = "[\(padding)\(seconds).\(fraction)] "
    for scalar in text.unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
      line.unicodeScalars.append(isControl ? "?" : scalar)
    }
    return line + "\n"
  }
}
