public import Foundation
import Synchronization

/// What the guest has written on its serial console, line by line; also QEMU's own complaints.
public final class SerialLog: Sendable {
  private struct State {
    var lines: [String] = []
    var pending: [UInt8] = []
    var hasLineWithMark = false
    var hasPowerOff = false
    var hasPanic = false
    var failure: RunnerError?
  }

  private let state = Mutex(State())
  private let mark: String
  private let file: FileHandle?
  private let path: String?
  private let show: (@Sendable (String) throws -> Void)?

  /// How many of the last lines are kept in memory.
  private static let capacity = 400

  /// Starts an empty log.
  ///
  /// - Parameters:
  ///   - mark: The text whose appearance in a line `hasLineWithMark` reports.
  ///   - path: A file that gets every byte as well; it is replaced.
  ///   - show: Is called with each line; throws if it cannot show it.
  /// - Throws: Foundation's error if the file cannot be written.
  public init(
    mark: String, path: String? = nil, show: (@Sendable (String) throws -> Void)? = nil
  ) throws {
    self.mark = mark
    self.show = show
    self.path = path
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
    do {
      try file?.write(contentsOf: data)
    } catch {
      fail(.cannotWrite(path ?? "the serial log", reason: error.localizedDescription))
    }
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
      for line in complete {
        if line.contains(mark) { state.hasLineWithMark = true }
        let message = Self.message(of: line)
        if message == Self.powerOffMessage { state.hasPowerOff = true }
        if message.hasPrefix(Self.panicMessage) { state.hasPanic = true }
      }
      return complete
    }
    guard let show else { return }
    do {
      for line in complete { try show(line) }
    } catch {
      fail(error as? RunnerError ?? .cannotWrite("the output", reason: error.localizedDescription))
    }
  }

  private func fail(_ error: RunnerError) {
    state.withLock { $0.failure = $0.failure ?? error }
  }

  /// The first error of writing what the guest has written. It holds the guest's audit log, so a
  /// guest whose output is lost must not go on.
  public var failure: RunnerError? { state.withLock { $0.failure } }

  /// Whether PID 1 has powered the machine off, and the kernel has not panicked.
  ///
  /// QEMU's status tells neither: a panic reboots the machine, and QEMU ends with 0 then too.
  var endsInOrder: Bool { state.withLock { $0.hasPowerOff && !$0.hasPanic } }

  /// The last line of PID 1 (`GuestInit`).
  private static let powerOffMessage = "init: powering off"
  private static let panicMessage = "Kernel panic - not syncing"

  /// The line without its time, `[    1.234] `. Nothing that a peer can have logged begins a line.
  private static func message(of line: String) -> Substring {
    guard line.hasPrefix("["), let end = line.firstRange(of: "] ") else { return line[...] }
    return line[end.upperBound...]
  }

  /// Whether a complete line contained the mark.
  public var hasLineWithMark: Bool { state.withLock { $0.hasLineWithMark } }

  /// The last lines, at most `count` of them, and what came after the last line's end.
  public func tail(_ count: Int = 20) -> [String] {
    state.withLock { state in
      let rest = state.pending.isEmpty ? [] : [Self.printable(state.pending)]
      return (state.lines + rest).suffix(max(0, count))
    }
  }

  /// The guest's bytes go to a terminal: characters that act on one are shown as `?`.
  private static func printable(_ bytes: [UInt8]) -> String {
    var text = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: text += "?"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
