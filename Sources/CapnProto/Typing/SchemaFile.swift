/// What a schema file declares, as generated code carries it: for programs that look at schemas at
/// run time.
///
/// The declarations are kept as the schema compiler wrote them, and cost nothing until they are
/// asked for.
public final class SchemaFile: Sendable {
  /// The id of the file in the schema language.
  public let id: UInt64
  /// The file's name, as it was given to the schema compiler.
  public let name: String
  private let importedFiles: @Sendable () -> [SchemaFile]
  private let encoded: StaticString

  /// What the generator found.
  ///
  /// - Parameters:
  ///   - id: the id of the file.
  ///   - name: its name.
  ///   - imports: the files that it imports; asked for late, since files may import each other.
  ///   - nodes: a message in Base64, whose root is a list of pointers to `Node`s of schema.capnp.
  public init(
    id: UInt64, name: String, imports: @Sendable @autoclosure @escaping () -> [SchemaFile],
    nodes: StaticString
  ) {
    self.id = id
    self.name = name
    importedFiles = imports
    encoded = nodes
  }

  /// The files that this one imports, but for those that declare annotations only.
  public var imports: [SchemaFile] { importedFiles() }

  /// A message whose root is a list of pointers: each leads to a `Node` of schema.capnp, one for
  /// every declaration of the file, in the order of their ids.
  ///
  /// - Throws: ``FramingError`` if the generator's text was changed.
  public func nodes() throws -> MessageReader {
    try MessageReader(flat: Base64.decode(encoded.description.utf8))
  }
}

/// A type of a schema that knows what the schema says of it.
public protocol DescribedType {
  /// The id of the type in the schema language.
  static var _typeID: UInt64 { get }
  /// The file that declares the type.
  static var _schemaFile: SchemaFile { get }
}

/// Bytes in the letters of RFC 4648, section 4.
package enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The letters of the bytes, padded.
  package static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for index in 0..<4 {
        let letter = alphabet[bits >> (18 - 6 * index) & 63]
        text.append(index <= group.count ? letter : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of the letters; what is no letter is skipped.
  package static func decode(_ text: some Sequence<UInt8>) -> [UInt8] {
    var values = [UInt8?](repeating: nil, count: 256)
    for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
    var bytes: [UInt8] = []
    var bits = 0
    var count = 0
    for letter in text {
      guard let value = values[Int(letter)] else { continue }
      bits = (bits << 6 | Int(value)) & 0xffffff
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> count))
      }
    }
    return bytes
  }
}
