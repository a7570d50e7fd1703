import ArgumentParser
import CapnProto
import CapnProtoSchema

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

  @Argument(
    help: """
      The struct that the messages are, as the file would name it: Outer.Inner, an alias, or a \
      generic type with its parameters, as 'Box(Text)'.
      """)
  var type: String?

  @Flag(help: "Print each message on one line.")
  var short = false

  @OptionGroup var limits: LimitOptions

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
    try Conversion(from: forms.from, to: forms.to, schema: structure, isPretty: !short)
      .run(nestingDepth: limits.nestingDepth)
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
    try Conversion(
      from: messages.form, to: .text, schema: try messages.structure, isPretty: !short
    ).run(nestingDepth: messages.limits.nestingDepth)
  }
}

struct EncodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode", abstract: "Build messages of the text on standard input.")

  @OptionGroup var messages: MessageOptions

  func run() throws {
    try Conversion(
      from: .text, to: messages.form, schema: try messages.structure, isPretty: true
    ).run(nestingDepth: messages.limits.nestingDepth)
  }
}

/// The type of the encoded messages, and the form that they have.
struct MessageOptions: ParsableArguments {
  @Argument(help: "The file that declares the type.")
  var schema: String

  @Argument(
    help: """
      The struct that the messages are, as the file would name it: Outer.Inner, an alias, or a \
      generic type with its parameters, as 'Box(Text)'.
      """)
  var type: String

  @Flag(help: "The encoded message is one segment without a frame.")
  var flat = false

  @Flag(name: .shortAndLong, help: "The encoded messages are packed.")
  var packed = false

  @OptionGroup var limits: LimitOptions

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

/// Bounds on messages.
struct LimitOptions: ParsableArguments {
  private static let most = 10_000

  @Option(
    help: """
      How deep structs and lists may be nested in a message: 1 to \(most). More takes more memory.
      """)
  var nestingDepth = 1000

  func validate() throws {
    guard (1...Self.most).contains(nestingDepth) else {
      throw ValidationError("--nesting-depth must be from 1 to \(Self.most)")
    }
  }
}
