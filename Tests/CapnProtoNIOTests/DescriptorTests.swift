import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Foundation
import Testing

@testable import CapnProtoNIO

/// How two vats are connected.
enum Path: CaseIterable {
  case memory, pair, listener
}

@Suite(.timeLimit(.minutes(5))) struct DescriptorTests {
  private static func limits(_ descriptors: Int) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.descriptors = descriptors
    return limits
  }

  static func temporaryPath() -> String {
    FileManager.default.temporaryDirectory.appending(path: "capnp-\(UUID().uuidString.prefix(8))")
      .path
  }

  /// Calls the body with the client's end and the server's end of a connection.
  private func connected(
    _ path: Path, _ server: Folder.Client = .server(FolderServer()), client: Int = 64,
    server serverDescriptors: Int = 64,
    _ body: (RPCConnection, RPCConnection) async throws -> Void
  ) async throws {
    switch path {
    case .memory:
      let (here, there) = InMemoryNetwork.connect(
        server: Capability(server), limits: Self.limits(min(client, serverDescriptors)))
      try await body(here, there)
      here.close()
    case .pair:
      let (first, second) = try Pipe.sockets()
      let there = try RPCConnector.connection(
        over: second, bootstrap: Capability(server), limits: Self.limits(serverDescriptors))
      let here = try RPCConnector.connection(over: first, limits: Self.limits(client))
      try await body(here, there)
      here.close()
      _ = try await there.closed()
    case .listener:
      let (seen, found) = AsyncStream<RPCConnection>.makeStream()
      let listener = try await RPCListener.listen(
        on: .unix(path: Self.temporaryPath()), limits: Self.limits(serverDescriptors)
      ) {
        found.yield($0.connection)
        return Capability(server)
      }
      let here = try await RPCConnector.connect(
        to: listener.address, limits: Self.limits(client))
      var all = seen.makeAsyncIterator()
      let there = try #require(await all.next())
      try await body(here, there)
      here.close()
      _ = try await there.closed()
      await listener.close()
    }
  }

  private func expect(
    _ file: File.Client, descriptor text: String?, _ place: SourceLocation = #_sourceLocation
  ) async throws {
    let found = try await file.described()
    #expect(found == text, sourceLocation: place)
  }

  private func expect(
    _ file: File.Client, text: String, _ place: SourceLocation = #_sourceLocation
  ) async throws {
    let found = try await file.read().results { try $0.text.string }
    #expect(found == text, sourceLocation: place)
  }

  @Test(arguments: Path.allCases)
  func `a result's capability arrives with its descriptor`(_ path: Path) async throws {
    try await connected(path) { here, _ in
      let folder = here.bootstrap(as: Folder.Client.self)
      let file = folder.open { $0.text = "hello" }.pipeline.file
      try await expect(file, descriptor: "hello")
      try await expect(file, text: "hello")
    }
  }

  @Test(arguments: Path.allCases)
  func `a parameter's capability arrives with its descriptor`(_ path: Path) async throws {
    try await connected(path) { here, _ in
      let folder = here.bootstrap(as: Folder.Client.self)
      let files: [File.Client] = [
        try FileServer.described("one"), .server(FileServer("bare")),
        try FileServer.described("two"),
      ]
      let texts = try await folder.sum {
        let list = $0.initFiles(files.count)
        for (index, file) in files.enumerated() { list[index] = file }
      }.results { try $0.texts.map { $0.string } }
      #expect(texts == ["one", "none", "two"])
    }
  }

  @Test(arguments: Path.allCases)
  func `a promise has the descriptor of what it turns out to be`(_ path: Path) async throws {
    try await connected(path) { here, _ in
      let folder = here.bootstrap(as: Folder.Client.self)
      let file = try await folder.later { $0.text = "soon" }.results { try $0.file }
      #expect(try await #require(file).described() == "soon")
    }
  }

  @Test(arguments: Path.allCases)
  func `a capability that is passed on takes its descriptor along`(_ path: Path) async throws {
    try await connected(path) { origin, _ in
      let folder = origin.bootstrap(as: Folder.Client.self)
      let file = try #require(
        try await folder.open { $0.text = "far" }.results { try $0.file })
      try await connected(path, .server(FolderServer(file))) { here, _ in
        let next = here.bootstrap(as: Folder.Client.self).open().pipeline.file
        try await expect(next, descriptor: "far")
        try await expect(next, text: "far")
      }
    }
  }

  @Test(arguments: Path.allCases, [true, false])
  func `an end that takes no descriptors gets the capability without`(
    _ path: Path, _ isClient: Bool
  ) async throws {
    let takesAny = (client: isClient ? 0 : 64, server: isClient ? 64 : 0)
    try await connected(path, client: takesAny.client, server: takesAny.server) { here, _ in
      let folder = here.bootstrap(as: Folder.Client.self)
      let file = folder.open { $0.text = "hello" }.pipeline.file
      try await expect(file, descriptor: nil)
      try await expect(file, text: "hello")
    }
  }

  @Test func `no descriptor crosses a membrane`() async throws {
    let folder = Membrane().wrap(Folder.Client.server(FolderServer()))
    try await connected(.pair, folder) { here, _ in
      let file = here.bootstrap(as: Folder.Client.self).open { $0.text = "in" }.pipeline.file
      try await expect(file, descriptor: nil)
      try await expect(file, text: "in")
    }
  }

  @Test func `a capability of this process has the descriptor that it was given`() async throws {
    let file = try FileServer.described("here")
    #expect(Capability(file).isIdentical(to: Capability(file)))
    try await expect(file, text: "here")
    let (promise, resolver) = Capability.promise()
    resolver.resolve(Capability(file))
    #expect(try await File.Client(_capability: promise).described() == "here")
  }

  @Test(arguments: Path.allCases)
  func `a descriptor is closed when nobody holds its capability`(_ path: Path) async throws {
    var ends: (reader: OpenDescriptor, writer: OpenDescriptor)? = try Pipe.open()
    let writer = try #require(ends).writer
    var file: File.Client? = File.Client(
      .server(FileServer("")), attaching: try #require(ends).reader)
    ends = nil
    try await connected(path, .server(FolderServer(try #require(file)))) { here, _ in
      file = nil
      let file = try await here.bootstrap(as: Folder.Client.self).open().results { try $0.file }
      let descriptor = try await Capability(try #require(file)).attachedDescriptor()
      #expect(descriptor != nil)
      #expect(!Pipe.isAbandoned(writer))
    }
    #expect(await eventually { Pipe.isAbandoned(writer) })
  }

  @Test(arguments: [Path.pair, .listener])
  func `descriptors beyond the limit are closed, and counted`(_ path: Path) async throws {
    try await connected(path, client: 2) { here, _ in
      let folder = here.bootstrap(as: Folder.Client.self)
      var files: [File.Client] = []
      for number in 0..<3 {
        let file = try await folder.open { $0.text = "\(number)" }.results { try $0.file }
        files.append(try #require(file))
      }
      try await expect(files[1], descriptor: "1")
      try await expect(files[2], descriptor: nil)
      try await expect(files[2], text: "2")
      #expect(here.statistics.limitsReached == [.descriptors: 1])
      files = []
      #expect(await eventually { here.tableSizes.imports <= 1 })
      // They are closed by and by.
      var found: String?
      for _ in 0..<1000 where found == nil {
        found = try await folder.open { $0.text = "again" }.pipeline.file.described()
        if found == nil { try await Task.sleep(for: .milliseconds(5)) }
      }
      #expect(found == "again")
    }
  }

  @Test(arguments: [Path.pair, .listener])
  func `many at once each come to their own capability`(_ path: Path) async throws {
    try await connected(path, client: 500) { here, _ in
      let folder = here.bootstrap(as: Folder.Client.self)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<200 {
          group.addTask {
            let file = folder.open { $0.text = "file \(number)" }.pipeline.file
            try await expect(file, descriptor: "file \(number)")
          }
          group.addTask {
            // Longer than a socket takes at once, so that parts of messages are written.
            let padding = [UInt8](repeating: 7, count: number % 10 == 0 ? 1_000_000 : number)
            let texts = try await folder.sum {
              $0.initFiles(1)[0] = try FileServer.described("own \(number)")
              $0.padding = padding
            }.results { try $0.texts.map { $0.string } }
            #expect(texts == ["own \(number)"])
          }
        }
        try await group.waitForAll()
      }
    }
  }
}
