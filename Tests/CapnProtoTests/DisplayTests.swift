import CapnProto
import Testing

@Suite struct DisplayTests {
  @Test(arguments: [
    ("", ""), ("plain", "plain"), ("é 😀 字", "é 😀 字"), (#"C:\new"#, #"C:\new"#),
    ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{1b}[31mred\u{7}", #"\u{1b}[31mred\u{7}"#),
    ("\0\u{7f}", #"\u{0}\u{7f}"#),
    // The one-character form of the escape that begins a control sequence.
    ("\u{9b}2J", #"\u{9b}2J"#),
    ("user\u{202e}gpj.exe", #"user\u{202e}gpj.exe"#),
    ("a\u{2066}b\u{2069}", #"a\u{2066}b\u{2069}"#),
    ("a\u{2028}b\u{2029}c\u{85}d", #"a\u{2028}b\u{2029}c\u{85}d"#),
    ("\u{feff}x\u{ad}y\u{e0041}", #"\u{feff}x\u{ad}y\u{e0041}"#), ("\u{e000}", #"\u{e000}"#),
    // A family, and a Persian word.
    ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"), ("می\u{200c}خواهم", "می\u{200c}خواهم"),
    ("\r\n", #"\r\n"#), ("e\u{301}", "e\u{301}"),
  ])
  func charactersThatActOnATerminalAreEscaped(text: String, shown: String) {
    #expect(Array(text.escapedForDisplay.unicodeScalars) == Array(shown.unicodeScalars))
    #expect(text.escapedForDisplay.escapedForDisplay == text.escapedForDisplay)
  }
}
