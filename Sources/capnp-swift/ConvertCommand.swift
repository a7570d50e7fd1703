import ArgumentParser
import CapnProto
import CapnProtoSchema
import Foundation

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert the messages on standard input to another form.",
    discussion: "The forms: "
      + MessageForm.allCases.map(\.rawValue).joined(separator: ", ")
      + ". Text and JSON need a schema and a type.")

  @Argument(help: "The two forms, as FROM:TO.")
  var forms: Forms

  @Argument(help: "The file that declares the type.")
  var schema: String?

  @Argument(help: "The struct that the messages are, as Outer.Inner.")
  var type: String?

  @Flag(help: "Print each message on one line.")
  var short = false

  @OptionGroup var schemas: SchemaOptions

  func validate() throws {
    if schema != nil && type == nil { throw ValidationError("a schema needs a type") }
    if schema == nil, let form = [forms.from, forms.to].first(where: \.needsSchema) {
      throw ValidationError("messages in \(form.rawValue) need a schema and a type")
    }
  }

  func run() throws {
    let structure: StructSchema? =
      if let schema, let type { try schemas.structure(type, in: schema) } else { nil }
    try Conversion.run(
      from: forms.from, to: forms.to, schema: structure, isPretty: !short)
  }

  /// Two forms of messages.
  struct Forms: ExpressibleByArgument {
    let from: MessageForm
    let to: MessageForm

    init?(argument: String) {
      let words = argument.split(separator: ":", omittingEmptySubsequences: false)
      guard words.count == 2, let from = MessageForm(rawValue: String(words[0])),
        let to = MessageForm(rawValue: String(words[1]))
      else { return nil }
      (self.from, self.to) = (from, to)
    }
  }
}

struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode", abstract: "Print the messages on standard input as text.")

  @OptionGroup var messages: MessageOptions

  @Flag(help: "Print each message on one line.")
  var short = false

  func run() throws {
    try Conversion.run(
      from: messages.form, to: .text, schema: try messages.structure, isPretty: !short)
  }
}

struct EncodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode", abstract: "Build messages of the text on standard input.")

  @OptionGroup var messages: MessageOptions

  func run() throws {
    try Conversion.run(
      from: .text, to: messages.form, schema: try messages.structure, isPretty: true)
  }
}

/// The type of the encoded messages, and the form that they have.
struct MessageOptions: ParsableArguments {
  @Argument(help: "The file that declares the type.")
  var schema: String

  @Argument(help: "The struct that the messages are, as Outer.Inner.")
  var type: String

  @Flag(help: "The encoded message is one segment without a frame.")
  var flat = false

  @Flag(name: .shortAndLong, help: "The encoded messages are packed.")
  var packed = false

  @OptionGroup var schemas: SchemaOptions

  var form: MessageForm {
    switch (flat, packed) {
    case (false, false): .binary
    case (false, true): .packed
    case (true, false): .flat
    case (true, true): .flatPacked
    }
  }

  var structure: StructSchema { get throws { try schemas.structure(type, in: schema) } }
}

/// From standard input to standard output.
enum Conversion {
  /// The user's own files: larger ones are allowed than from a peer.
  private static var options: MessageConverter.Options {
    MessageConverter.Options(
      frames: FrameLimits(words: 1 << 28, segments: 512),
      reading: ReaderLimits(traversalWords: 1 << 30, nestingDepth: 64),
      codec: CodecLimits(nestingDepth: 128, words: 1 << 28, bytes: 1 << 31))
  }

  static func run(
    from: MessageForm, to: MessageForm, schema: StructSchema?, isPretty: Bool
  ) throws {
    var options = options
    options.isPretty = isPretty
    var isBroken = false
    func write(_ bytes: [UInt8]) throws {
      do {
        try FileHandle.standardOutput.write(contentsOf: Data(bytes))
      } catch {
        // Nobody reads the rest, as behind `head`.
        isBroken = true
        throw error
      }
    }
    signal(SIGPIPE, SIG_IGN)
    do {
      var converter = try MessageConverter(from: from, to: to, schema: schema, options: options)
      while let chunk = try FileHandle.standardInput.read(upToCount: 1 << 16), !chunk.isEmpty {
        try converter.take(Array(chunk), write)
      }
      try converter.finish(write)
    } catch {
      if !isBroken { throw CommandFailure.message("\(error)") }
    }
  }
}
