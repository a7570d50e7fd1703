import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import RemoteSessionGateway
import RemoteSessionSchema
import Synchronization
import Testing

/// A session manager that notes how large the requests are that reach it.
private final class RequestSizes: SessionManager.Server {
  private let sizes = Mutex<[Int]>([])
  var all: [Int] { sizes.withLock { $0 } }

  func authMethods(_ call: SessionManager.AuthMethodsCall) async throws {}

  func noteDenial(_ call: SessionManager.NoteDenialCall) async throws {}

  func login(_ call: SessionManager.LoginCall) async throws {
    let words = try call.params.request._raw.totalSize().words
    sizes.withLock { $0.append(words) }
    call.reply { $0.initDenial().reason = .badCredentials }
  }
}

@Suite struct UnknownFieldTests {
  /// A login whose request has a field that the gateway does not know, of so many words.
  private func login(unknownWords: Int) throws -> MessageReader {
    let message = MessageBuilder()
    message.build(Message.Builder.self) {
      let call = $0.initCall()
      call.questionId = 1
      call.interfaceId = RemoteSessionGateway._interface.id
      call.methodId = 2
      call.initTarget().initPromisedAnswer().questionId = 0
      let login = call.initParams().content.initStructure(
        as: RemoteSessionGateway.LoginParams.Builder.self)
      let known = LoginRequest.Reader._layout
      let layout = StructLayout(dataWords: known.dataWords, pointers: known.pointers + 1)
      let request = login.requestField.initPointer().initStructure(layout: layout)
      request.pointer(0).setText("operator")
      LoginRequest.Builder(_raw: request).setAnonymous()
      _ = request.pointer(Int(known.pointers)).initList(of: UInt64.self, count: unknownWords)
    }
    return message.freeze()
  }

  @Test func `what the gateway does not know of a login does not reach the authority`() async throws
  {
    let sizes = RequestSizes()
    let gateway = Gateway(sessionManager: .server(sizes))
    let ends = InMemoryNetwork.connect(server: nil)
    let source = ConnectionSource(address: "memory", host: "memory", event: 1)
    ends.server.offer(gateway.accept(source) { [server = ends.server] in server.abort($0) })
    let bootstrap = MessageBuilder()
    bootstrap.build(Message.Builder.self) { $0.initBootstrap().questionId = 0 }
    ends.server.cork()
    ends.server.receive(bootstrap.freeze())
    ends.server.receive(try login(unknownWords: 5000))
    #expect(await eventually { !sizes.all.isEmpty })
    #expect(sizes.all.allSatisfy { $0 < 20 })
    ends.client.close()
    gateway.closed(source)
  }
}
