import CapnProto

extension JSONAnnotations.DataForm {
  /// Data as JSON has it in this form.
  func value(_ bytes: [UInt8]) -> JSONValue {
    switch self {
    case .array: JSONValue(.array(bytes.map { JSONValue(.number("\($0)")) }))
    case .base64: JSONValue(.string(Base64.encode(bytes)))
    case .hex:
      JSONValue(.string(bytes.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }))
    }
  }

  private static let digits = Array("0123456789abcdef".utf8)

  /// The data that JSON of this form has; nil where it is not of the form.
  func bytes(_ value: JSONValue) -> [UInt8]? {
    switch (self, value.kind) {
    case (.array, .array(let elements)):
      var bytes: [UInt8] = []
      for element in elements {
        guard case .number(let literal) = element.kind,
          let byte = try? DecimalNumber(literal.utf8)?.integer(as: UInt8.self, named: "UInt8")
        else { return nil }
        bytes.append(byte)
      }
      return bytes
    case (.base64, .string(let text)): return Base64.decode(text)
    case (.hex, .string(let text)):
      guard text.count % 2 == 0 else { return nil }
      var bytes: [UInt8] = []
      for index in stride(from: 0, to: text.count, by: 2) {
        guard let high = text[index].hexValue, let low = text[index + 1].hexValue else {
          return nil
        }
        bytes.append(high << 4 | low)
      }
      return bytes
    default: return nil
    }
  }
}
