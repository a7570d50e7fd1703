import CapnProto
import CapnProtoNIO
import CapnProtoRPC

final class GreeterServer: Greeter.Server {
  func greet(_ call: GreetCall) async throws {
    let text = "Hello, \(try call.params.name.string)!"
    call.reply { $0.card = .server(CardServer(text)) }
  }
}

final class CardServer: Card.Server {
  let text: String
  init(_ text: String) { self.text = text }
  func read(_ call: ReadCall) async throws { call.reply { $0.text = text } }
}

func serve(on address: RPCAddress) async throws -> RPCListener {
  try await RPCListener.listen(on: address) { _ in
    Capability(Greeter.Client.server(GreeterServer()))
  }
}

func greeting(for name: String, from address: RPCAddress) async throws -> String {
  try await withRPCConnection(to: address) { connection in
    let greeter = connection.bootstrap(as: Greeter.Client.self)
    let greet = greeter.greet { $0.name = name }  // sent now
    let read = greet.pipeline.card.read()  // sent now as well: all in one round trip
    return try await read.results { try $0.text.string }
  }
}
func names(_ cards: [String: Ref<Card.ReadResults.Reader>]) throws -> String? {
  try cards["ada"]?.read { try $0.text.string }
}
