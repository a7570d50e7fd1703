import CapnProto
import CapnProtoSchema

private let codecLimits = CodecLimits(nestingDepth: 32, words: 1 << 14, bytes: 1 << 18)
/// Limits for what was made within those limits.
private let wideCodecLimits = CodecLimits(nestingDepth: 64, words: 1 << 20, bytes: 1 << 22)

/// `Node` of schema.capnp: it has fields of nearly every type, groups and unions.
private let nodeSchema = (try? Schema.of(Node.self))?.structure(Node._typeID)

/// A form that messages are written in and read from.
private struct Form {
  let encode: (DynamicStruct.Reader) throws -> [UInt8]
  let decode: ([UInt8], DynamicStruct.Builder) throws -> Void

  static func text(_ limits: CodecLimits) -> Form {
    let codec = TextCodec(limits: limits)
    return Form(encode: { try codec.encode($0) }, decode: { try codec.decode($0, into: $1) })
  }

  static func json(_ limits: CodecLimits) -> Form {
    let codec = JSONCodec(limits: limits)
    return Form(encode: { try codec.encode($0) }, decode: { try codec.decode($0, into: $1) })
  }

  /// What the bytes are after they were read and written; nil where they cannot be.
  func again(_ bytes: [UInt8], _ schema: StructSchema) -> [UInt8]? {
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    guard (try? decode(bytes, root)) != nil else { return nil }
    return try? encode(root.reader)
  }
}

extension FuzzTarget {
  func text(_ bytes: [UInt8]) {
    roundTrip(bytes, .text(codecLimits), .text(wideCodecLimits))
  }

  func json(_ bytes: [UInt8]) {
    roundTrip(bytes, .json(codecLimits), .json(wideCodecLimits))
  }

  private func roundTrip(_ bytes: [UInt8], _ form: Form, _ wideForm: Form) {
    guard let nodeSchema else { fatalError("the schema of nodes is valid") }
    guard let written = form.again(bytes, nodeSchema) else { return }
    require(
      wideForm.again(written, nodeSchema) == written, "what was read and written stays as it is")
  }

  func dynamic(_ bytes: [UInt8]) {
    guard let nodeSchema else { fatalError("the schema of nodes is valid") }
    print(bytes, nodeSchema)
  }

  /// Prints the message, and what was made of the print.
  private func print(_ bytes: [UInt8], _ schema: StructSchema) {
    guard let message = readMessage(bytes), let root = try? message.root(as: schema) else { return }
    // A union's member that nobody knows is lost at first.
    for (form, wideForm) in [
      (Form.text(codecLimits), Form.text(wideCodecLimits)),
      (.json(codecLimits), .json(wideCodecLimits)),
    ] {
      guard let first = try? form.encode(root), let second = wideForm.again(first, schema) else {
        continue
      }
      require(wideForm.again(second, schema) == second, "what was printed is read as it was")
    }
  }

  func schema(_ bytes: [UInt8]) {
    guard let message = readMessage(bytes),
      let request = try? message.root(as: CodeGeneratorRequest.Reader.self)
    else { return }
    var loader = SchemaLoader()
    guard (try? loader.add(request)) != nil, let schema = try? loader.schema() else { return }
    require(schema.differences(to: schema).isEmpty, "a schema does not differ from itself")
    for id in schema.nodes.keys.sorted().prefix(8) {
      guard let structure = schema.structure(id) else { continue }
      build(structure)
      print(bytes, structure)
    }
  }

  /// Sets every field of a struct to its default, and reads it.
  private func build(_ schema: StructSchema) {
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    for field in schema.node.fields {
      guard let place = try? root.value(field) else {
        fatalError("a struct has the fields of its schema")
      }
      place.clear()
      _ = try? place.structure().clear()
      _ = try? place.list().count
      _ = try? place.initList(count: 2).value(1).clear()
      _ = try? root.reader.get(field)
      place.clear()
      _ = try? root.reader.get(field)
    }
    root.clear()
  }
}
