import CapnProto
import CapnProtoRPC
import Testing

/// Every method answers with its own name; that this compiles is the better part of the test.
private final class ChildObject: Child.PartialServer {
  func foo(_ call: Base.FooCall) async throws { call.reply { $0.text = "Base.foo" } }
  func fooChild(_ call: Base.FooChildCall) async throws {
    call.reply { $0.text = "Base.fooChild" }
  }
  // swift-format-ignore: AlwaysUseLowerCamelCase
  func Foo(_ call: Base.FooCall_) async throws { call.reply { $0.text = "Base.Foo" } }
  // swift-format-ignore: AlwaysUseLowerCamelCase
  func fooChild_(_ call: Child.FooCall) async throws { call.reply { $0.text = "Child.foo" } }
  func fooChildChild(_ call: Child.FooChildChildCall) async throws {
    call.reply { $0.text = "Child.fooChildChild" }
  }
}

private final class RoundaboutObject: Roundabout.PartialServer {}

private final class HidingObject: Hiding.PartialServer {
  func echo(_ call: EchoCall) async throws {
    try call.reply {
      try $0.value.set(call.params.value)
      try $0.setOwn(call.params.own)
    }
  }
}

@Suite(.timeLimit(.minutes(1))) struct CollisionTests {
  @Test func namesOfMethodsMakeWayForOneAnother() async throws {
    let child = Child.Client.server(ChildObject())
    #expect(try await child.foo().results { try $0.text.string } == "Base.foo")
    #expect(try await child.fooChild().results { try $0.text.string } == "Base.fooChild")
    #expect(try await child.Foo().results { try $0.text.string } == "Base.Foo")
    #expect(try await child.fooChild_().results { try $0.text.string } == "Child.foo")
    #expect(
      try await child.fooChildChild().results { try $0.text.string } == "Child.fooChildChild")
    await #expect { try await child.asBase().finished() } throws: { error in
      "\(error)".contains("Base.asBase is not implemented")
    }
    #expect(try await child.asBase_.foo().results { try $0.text.string } == "Base.foo")
  }

  @Test func oneNameOfTwoInterfacesMayBeLeftOut() async throws {
    let client = Roundabout.Client.server(RoundaboutObject())
    for call in [client.turn(), client.turnRight()] {
      await #expect { try await call.finished() } throws: { error in
        "\(error)".contains(".turn is not implemented")
      }
    }
  }

  @Test func typeParametersOfMethodsHideNoTypes() async throws {
    let client = Hiding.Client.server(HidingObject())
    let results = try await client.echo(TextType.self) {
      $0.value.string = "value"
      $0.initOwn().text = "own"
    }.results()
    #expect(try results.reader.value.string == "value")
    #expect(try results.reader.own.text.string == "own")
  }
}
