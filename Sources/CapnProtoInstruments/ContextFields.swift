import Tracing

/// The fields of a tracing context as they cross with a call: a line `name: value` each.
struct ContextFields {
  private(set) var values: [String: String] = [:]

  /// No fields.
  init() {}

  /// The fields that the bytes say; what is no line of one is left out.
  init(_ bytes: [UInt8]) {
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == UInt8(ascii: " ") }
      let name = String(decoding: line[..<colon], as: UTF8.self)
      values[name] = String(decoding: value, as: UTF8.self)
    }
  }

  /// The fields as bytes, in the order of their names.
  var bytes: [UInt8] {
    values.sorted { $0.key < $1.key }.flatMap { Array("\($0.key): \($0.value)\n".utf8) }
  }

  /// How a tracer reads and writes fields. One with a line break in it is left out.
  struct Access: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into fields: inout ContextFields) {
      guard !(key + value).utf8.contains(UInt8(ascii: "\n")), !key.utf8.contains(UInt8(ascii: ":"))
      else { return }
      fields.values[key] = value
    }

    func extract(key: String, from fields: ContextFields) -> String? { fields.values[key] }
  }
}
