import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// A realm whose references and owners are texts.
@Suite(.timeLimit(.minutes(5))) struct PersistenceTests {
  private let vault = Vault()
  private let object = SinkObject()

  /// A client's connection to a vat whose bootstrap capability is a sink that can be saved.
  private func sink() -> Sink.Client {
    let sink = Sink.Client(Sink.Client.server(object), savedBy: Keeper(vault, object))
    return InMemoryNetwork.connect(server: Capability(sink)).client.bootstrap()
  }

  /// A client's connection to what restores the references of an owner.
  private func restorer(for owner: String) -> Restorer.Client<TextType> {
    let restorer = Restorer.Client.server(OwnersRestorer(vault, owner))
    return InMemoryNetwork.connect(server: Capability(restorer)).client.bootstrap()
  }

  private func save(_ sink: Sink.Client, for owner: String) async throws -> String {
    let persistent = Capability(sink).cast(to: Persistent.Client<TextType, TextType>.self)
    return try await persistent.save { $0.sealFor.string = owner }
      .results { try $0.sturdyRef.string }
  }

  @Test func `a capability that was saved is restored on another connection`() async throws {
    let reference = try await save(sink(), for: "ada")
    let restored = restorer(for: "ada").restore { $0.sturdyRef.string = reference }
      .pipeline.capability.cast(to: Sink.Client.self)
    try await restored.write { $0.data = [1, 2, 3] }
    #expect(try await restored.done().results { $0.bytes } == 3)
    #expect(object.bytes == 3)
  }

  @Test func `a reference is sealed for its owner`() async throws {
    let reference = try await save(sink(), for: "ada")
    for (owner, reference) in [("bob", reference), ("ada", "another one")] {
      let error = await #expect(throws: RPCError.self) {
        try await restorer(for: owner).restore { $0.sturdyRef.string = reference }.finished()
      }
      // What is sealed for somebody else looks as what is not there.
      #expect(error == .failed("no such reference"))
    }
  }

  @Test func `an object that can be saved is the object otherwise`() async throws {
    let sink = sink()
    for index in 0..<50 { try await sink.write { $0.data = [UInt8(index)] } }
    #expect(try await sink.done().results { $0.bytes } == 50)
    #expect(object.first == (0..<50).map { UInt8($0) })
    _ = try await save(sink, for: "ada")
  }

  @Test func `calls of an object of this process keep their order with those that save it`()
    async throws
  {
    let sink = Sink.Client(Sink.Client.server(object), savedBy: Keeper(vault, object))
    for _ in 0..<100 {
      try await sink.write { $0.data = [1] }
      _ = try await save(sink, for: "ada")
    }
    #expect(vault.sizes == Array(1...100))
  }

  @Test func `an object that cannot be saved says so`() async throws {
    let sink = InMemoryNetwork.connect(server: Capability(Sink.Client.server(object)))
      .client.bootstrap(as: Sink.Client.self)
    let error = await #expect(throws: RPCError.self) { try await save(sink, for: "ada") }
    #expect(error?.kind == .unimplemented)
  }
}

/// Where the vat keeps what was saved, by a secret.
private final class Vault: Sendable {
  private struct Entry {
    let sink: Sink.Client
    let owner: String
    /// Bytes in the object when it was saved.
    let size: Int
  }
  private let entries = Mutex<[(secret: String, entry: Entry)]>([])

  var sizes: [Int] { entries.withLock { $0.map(\.entry.size) } }

  func keep(_ object: SinkObject, for owner: String) -> String {
    var random = SystemRandomNumberGenerator()
    let secret = "\(random.next())-\(random.next())"
    let entry = Entry(sink: .server(object), owner: owner, size: object.bytes)
    entries.withLock { $0.append((secret, entry)) }
    return secret
  }

  func sink(_ secret: String, of owner: String) -> Sink.Client? {
    entries.withLock { entries in
      entries.first { $0.secret == secret && $0.entry.owner == owner }?.entry.sink
    }
  }
}

private final class Keeper: Persistent.Server {
  typealias Persistent_SturdyRef = TextType
  typealias Persistent_Owner = TextType
  private let vault: Vault
  private let object: SinkObject

  init(_ vault: Vault, _ object: SinkObject) {
    self.vault = vault
    self.object = object
  }

  func save(_ call: Persistent.SaveCall<TextType, TextType>) async throws {
    let secret = vault.keep(object, for: try call.params.sealFor.string)
    call.reply { $0.sturdyRef.string = secret }
  }
}

private final class OwnersRestorer: Restorer.Server {
  typealias Restorer_SturdyRef = TextType
  private let vault: Vault
  private let owner: String

  init(_ vault: Vault, _ owner: String) {
    self.vault = vault
    self.owner = owner
  }

  func restore(_ call: Restorer.RestoreCall<TextType>) async throws {
    guard let sink = vault.sink(try call.params.sturdyRef.string, of: owner) else {
      throw RPCError.failed("no such reference")
    }
    call.reply { $0.capability = Capability(sink) }
  }
}
