import CapnProto
import CapnProtoSchema
import Foundation

/// Converts messages from standard input to standard output.
struct Conversion: Sendable {
  private let from: MessageForm
  private let to: MessageForm
  private let schema: StructSchema?
  private let isPretty: Bool

  init(from: MessageForm, to: MessageForm, schema: StructSchema?, isPretty: Bool) {
    (self.from, self.to, self.schema, self.isPretty) = (from, to, schema, isPretty)
  }

  /// Converts all messages, with structs and lists nested as deep.
  ///
  /// - Throws: `CommandFailure`.
  func run(nestingDepth: Int) throws {
    let options = options(nestingDepth)
    try DeepStack.run(depth: options.codec.nestingDepth) { try convert(options) }
  }

  /// The user's own files: larger ones are allowed than from a peer.
  private func options(_ nestingDepth: Int) -> MessageConverter.Options {
    MessageConverter.Options(
      isPretty: isPretty,
      frames: FrameLimits(words: 1 << 28, segments: 512),
      reading: ReaderLimits(traversalWords: 1 << 30, nestingDepth: UInt16(clamping: nestingDepth)),
      // Groups are levels of a text, too.
      codec: CodecLimits(
        nestingDepth: 2 * nestingDepth, words: 1 << 28, bytes: 1 << 31))
  }

  private func convert(_ options: MessageConverter.Options) throws {
    do {
      var converter = try MessageConverter(from: from, to: to, schema: schema, options: options)
      while let chunk = try Self.read() { try converter.take(chunk, write) }
      try converter.finish(write)
    } catch let error as CommandFailure {
      throw error
    } catch {
      throw CommandFailure.message("\(error)" + (error.isNesting ? "; see --nesting-depth" : ""))
    }
  }

  private func write(_ bytes: [UInt8]) throws {
    switch to {
    case .text: try StandardOutput.write(bytes, of: .text)
    case .json: try StandardOutput.write(bytes, of: .json)
    default: try StandardOutput.write(bytes)
    }
  }

  /// The next bytes of the standard input; nil at its end.
  private static func read() throws -> [UInt8]? {
    do {
      let chunk = try FileHandle.standardInput.read(upToCount: 1 << 16) ?? Data()
      return chunk.isEmpty ? nil : Array(chunk)
    } catch {
      throw CommandFailure.message("the standard input cannot be read: \(error.inWords)")
    }
  }
}

extension Error {
  /// Whether a message or text was nested deeper than the limit.
  fileprivate var isNesting: Bool {
    switch self {
    case let error as CapnProto.DecodingError: error == .nestingLimitExceeded
    case let error as DynamicError: error == .damaged(.nestingLimitExceeded)
    case let error as CodecError:
      switch error.problem {
      case .nestedTooDeep: true
      case .value(let error): error == .damaged(.nestingLimitExceeded)
      default: false
      }
    default: false
    }
  }
}
