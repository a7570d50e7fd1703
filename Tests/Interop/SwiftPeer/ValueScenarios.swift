import CapnProto
import CapnProtoRPC

let valueScenarios: [Scenario] = [
  Scenario("bootstrap") { client in _ = try await client.liveObjects() },
  Scenario("echo-values") { client in
    func fill(_ values: Values.Builder) {
      fillSample(values)
      values.text = "grüße, 世界"
      values.colour = .unknown(77)  // of a newer schema
    }
    let message = MessageBuilder()
    message.build(Values.Builder.self) { fill($0) }
    let expected = try lines(message.freeze().root())
    let answer = try await client.peer.echo { fill($0.initValues()) }.results()
    try expect(lines(answer.reader.values), is: expected)
  },
  Scenario("mirror-values") { client in
    let sample = MessageBuilder()
    sample.build(Values.Builder.self) { fillSample($0) }
    let message = MessageBuilder()
    let original = sample.freeze()
    try message.build(Values.Builder.self) { try writeMirror(of: original.root(), to: $0) }
    let expected = try lines(message.freeze().root())
    let answer = try await client.peer.mirror { fillSample($0.initValues()) }.results()
    try expect(lines(answer.reader.values), is: expected)
  },
  Scenario("mirror-defaults") { client in
    let answer = try await client.peer.mirror().results()
    let values = try answer.reader.values
    try expect(values.limit, is: ~1000)
    try expect(values.colour, is: .blue)
    try expect(values.hasPoint, is: false)
    try expect(values.text.count, is: 0)
    try expect(values.choice._raw.discriminant(19), is: 0)
  },
  Scenario("echo-mebibyte") { client in
    let data = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 * 31 + ($0 >> 8)) }
    let answer = try await client.peer.echoData { $0.data = data }.results()
    try expect(answer.reader.data.array == data, is: true)
  },
]
