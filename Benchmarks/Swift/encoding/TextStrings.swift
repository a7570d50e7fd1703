// Texts and strings: texts.capnp says which.

import CapnProto

struct TextStrings: Workload {
  private let strings = (0..<100).map { start in
    String(decoding: (0..<60).map { UInt8(ascii: "a") + UInt8((start + $0) % 26) }, as: UTF8.self)
  }

  func fill(_ message: borrowing MessageBuilder) {
    let texts = message.initRoot(as: Texts.Builder.self).initTexts(strings.count)
    let strings = strings.span
    for index in strings.indices { texts[index] = strings[index] }
  }

  func value(_ message: borrowing MessageReader) throws -> UInt64 {
    var value: UInt64 = 0
    let texts = try message.root(as: Texts.Reader.self).texts
    for index in texts.indices {
      value &+= UInt64(try texts[index].string.utf8.count)
    }
    return value
  }
}
