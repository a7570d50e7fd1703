import CapnProto
import Testing

/// Plain Swift values, and what annotations change.
@Suite struct ValueTests {
  private static var sample: WebRequest.Value {
    var request = WebRequest.Value()
    request.url = "/x"
    request.method = .unknown(77)
    var header = WebRequest.Header.Value()
    header.name = "a"
    request.headers = [header, WebRequest.Header.Value()]
    request.body = []
    request.parent = WebRequest.Value()
    request.parent?.parent = WebRequest.Value()
    request.parent?.parent?.url = "/grandparent"
    request.weights = [[1, 2.5], [], [.infinity]]
    request.tags = []
    request.flag = false
    request.hash_ = 1
    request.write_ = 2
    request.source.host = ""
    request.source.port = 8080
    var inner = WebRequest.Value()
    inner.auth.which = .chain([WebRequest.Value(), request])
    request.auth.which = .as(inner)
    request.which = .secure(header)
    request.reader_ = "r"
    return request
  }

  private static func roundTrip(_ value: WebRequest.Value) throws -> WebRequest.Value {
    let message = MessageBuilder()
    message.build(WebRequest.Builder.self) { value.write(to: $0) }
    let reader = try MessageReader(flat: message.flattened())
    return try WebRequest.Value(try reader.root())
  }

  @Test func aValueComesBackAsItWas() throws {
    let value = Self.sample
    #expect(try Self.roundTrip(value) == value)
    #expect(try Self.roundTrip(WebRequest.Value()) == WebRequest.Value())
  }

  @Test func everyMemberOfAUnionComesBack() throws {
    var kerberos = WebRequest.Auth.Kerberos.Value()
    kerberos.realm = "EXAMPLE"
    kerberos.ticket = [1]
    for member: WebRequest.Auth.Value.Which in [
      .none, .password("p"), .token([0]), .as(nil), .chain([]), .kerberos(kerberos), .old("o"),
      .unknown(99),
    ] {
      var value = WebRequest.Value()
      value.auth.which = member
      #expect(try Self.roundTrip(value) == value)
    }
  }

  @Test func anEmptyMessageIsTheInitialValue() throws {
    let message = MessageBuilder()
    _ = message.initRoot(as: Unused.Builder.self)
    let reader = try MessageReader(flat: message.flattened())
    let value = try WebRequest.Value(try reader.root())
    #expect(value == WebRequest.Value())
    #expect(value.url == "/")
    #expect(value.method == .post)
    #expect(value.body == [0, 1])
    #expect(value.tags == ["a", "b"])
    #expect(value.source.port == 80)
    #expect(value.which == .plain(7))
    #expect(value.parent == nil)
  }

  @Test func writingReplacesWhatWasThere() throws {
    let message = MessageBuilder()
    let target: WebRequest.Builder = message.initRoot()
    Self.sample.write(to: target)
    WebRequest.Value().write(to: target)
    #expect(try WebRequest.Value(target.reader) == WebRequest.Value())
  }

  @Test func capnpReadsWhatAValueWrote() throws {
    var value = WebRequest.Value()
    value.url = "/u"
    value.headers = [WebRequest.Header.Value()]
    let message = MessageBuilder()
    message.build(WebRequest.Builder.self) { value.write(to: $0) }
    let text = try Oracle.decode(message.flattened(), as: "HTTPRequest", in: "annotations")
    #expect(text.hasPrefix("(uRL = \"/u\", method = post, headers = [()], tags = [\"a\", \"b\"]"))
  }

  @Test func valuesAreHashable() throws {
    #expect(Set([Self.sample, Self.sample, WebRequest.Value()]).count == 2)
  }

  @Test func aDamagedMessageIsAnError() throws {
    let message = MessageBuilder()
    let target: WebRequest.Builder = message.initRoot()
    target._raw.pointer(1).initStructure(as: WebRequest.Builder.self).flag = false
    #expect(throws: DecodingError.self) { try WebRequest.Value(target.reader) }
  }

  @Test func renamedDeclarationsKeepTheirPlaces() throws {
    let message = MessageBuilder()
    let target: WebRequest.Builder = message.initRoot()
    target.url = "/renamed"
    target.method = .remove
    target.source.host = "host"
    let text = try Oracle.decode(message.flattened(), as: "HTTPRequest", in: "annotations")
    #expect(text.hasPrefix("(uRL = \"/renamed\", method = delete"))
    #expect(text.contains("origin = (host = \"host\""))
    #expect(try theRequest.url.string == "/index")
  }
}
