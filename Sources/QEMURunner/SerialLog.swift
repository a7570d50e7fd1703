public import Foundation
import Synchronization

/// What the guest has written on its serial console, line by line; also QEMU's own complaints.
public final class SerialLog: Sendable {
  private struct State {
    var lines: [String] = []
    var pending: [UInt8] = []
    var hasLineWithMark = false
  }

  private let state = Mutex(State())
  private let mark: String
  private let file: FileHandle?
  private let show: (@Sendable (String) -> Void)?

  /// How many of the last lines are kept in memory.
  private static let capacity = 400

  /// Starts an empty log.
  ///
  /// - Parameters:
  ///   - mark: The text whose appearance in a line `hasLineWithMark` reports.
  ///   - path: A file that gets every byte as well; it is replaced.
  ///   - show: Is called with each line.
  /// - Throws: Foundation's error if the file cannot be written.
  public init(
    mark: String, path: String? = nil, show: (@Sendable (String) -> Void)? = nil
  ) throws {
    self.mark = mark
    self.show = show
    if let path {
      let url = URL(fileURLWithPath: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: url)
      file = try FileHandle(forWritingTo: url)
    } else {
      file = nil
    }
  }

  /// Takes bytes as they arrive.
  public func append(_ data: Data) {
    try? file?.write(contentsOf: data)
    let complete = state.withLock { state in
      var complete: [String] = []
      for byte in data {
        switch byte {
        case UInt8(ascii: "\n"):
          complete.append(Self.printable(state.pending))
          state.pending.removeAll(keepingCapacity: true)
        case UInt8(ascii: "\r"):
          continue
        default:
          if state.pending.count < 4096 { state.pending.append(byte) }
        }
      }
      state.lines += complete
      state.lines.removeFirst(max(0, state.lines.count - Self.capacity))
      if complete.contains(where: { $0.contains(mark) }) { state.hasLineWithMark = true }
      return complete
    }
    if let show { complete.forEach(show) }
  }

  /// Whether a complete line contained the mark.
  public var hasLineWithMark: Bool { state.withLock { $0.hasLineWithMark } }

  /// The last lines, at most `count` of them, and what came after the last line's end.
  public func tail(_ count: Int = 20) -> [String] {
    state.withLock { state in
      let rest = state.pending.isEmpty ? [] : [Self.printable(state.pending)]
      return (state.lines + rest).suffix(count)
    }
  }

  /// The guest's bytes go to a terminal: leave it no control characters to play with.
  private static func printable(_ bytes: [UInt8]) -> String {
    var text = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
      text.unicodeScalars.append(isControl ? "?" : scalar)
    }
    return text
  }
}
