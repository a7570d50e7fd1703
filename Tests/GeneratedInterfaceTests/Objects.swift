import CapnProto
import CapnProtoRPC
import Synchronization

/// A file that implements every method of its ancestors, two `close`s and two `label`s among them.
final class FileObject: File.PartialServer {
  private let name: String

  init(name: String) { self.name = name }

  func label(_ call: Node.LabelCall) async throws { call.reply { $0.label = "node \(name)" } }
  func labelFile(_ call: File.LabelCall) async throws { call.reply { $0.label = "file \(name)" } }

  func read(_ call: ReadCall) async throws {
    let count = try call.params.count
    call.reply { $0.bytes = [UInt8](repeating: 7, count: Int(count)) }
  }

  func write(_ call: WriteCall) async throws {
    let count = try call.params.bytes.count
    call.reply { $0.written = UInt32(count) }
  }

  func close(_ call: Readable.CloseCall) async throws {}
  func close(_ call: Writable.CloseCall) async throws { call.reply { $0.flushed = true } }

  func size(_ call: SizeCall) async throws { call.reply { $0.size = 42 } }

  func open(_ call: OpenCall) async throws {
    let name = try call.params.name.string
    if let observer = try call.params.observer {
      try await observer.event {
        $0.text = "opened \(name)"
        $0.source = self.client.asNode
      }.finished()
    }
    call.reply { $0.file = File.Client.server(FileObject(name: name)) }
  }

  // The generator's names for methods that Swift could not tell from its own.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  func self_(_ call: SelfCall) async throws {}
  // swift-format-ignore: AlwaysUseLowerCamelCase
  func init_(_ call: InitCall) async throws { call.reply { $0.value = 1 } }

  private var client: File.Client { .server(self) }
}

/// Remembers the events it was told of.
actor ObserverObject: Observer.Server {
  private(set) var events: [String] = []

  func event(_ call: EventCall) async throws {
    let text = try call.params.text.string
    let source = try call.params.source
    let answer = try await source?.label().results()
    let label = try answer.map { try $0.reader.label.string } ?? "nobody"
    events.append("\(text) by \(label)")
  }

  func find(_ call: Observer.FindCall) async throws {
    let text = try call.params.text.string
    call.reply { $0.text = text.uppercased() }
  }
}

/// A directory whose entries hold capabilities in every place.
final class DirectoryObject: Directory.PartialServer {
  func lookup(_ call: LookupCall) async throws {
    let path = try call.params.path.map { $0.string }
    call.reply { entry in
      entry.name = path.joined(separator: "/")
      entry.file = File.Client.server(FileObject(name: path.last ?? ""))
      entry.details.owner = File.Client.server(FileObject(name: "owner")).asNode
      entry.details.inner.backup = Directory.Client.server(DirectoryObject())
    }
  }

  func list(_ call: ListCall) async throws {
    call.reply { results in
      let entries = results.initEntries(2)
      entries[0].directory = Directory.Client.server(DirectoryObject())
      entries[1].setNone()
      let nodes = results.initNodes(2)
      nodes[0] = File.Client.server(FileObject(name: "a")).asNode
      nodes[1] = File.Client.server(FileObject(name: "b")).asNode
    }
  }

  func any(_ call: AnyCall) async throws {
    let value = try call.params.value.capabilityReference()
    call.reply { $0.value.setCapabilityReference(value) }
  }

  func untyped(_ call: UntypedCall) async throws {
    let cap = try call.params.cap
    call.reply { $0.cap = cap }
  }

  func recursive(_ call: RecursiveCall) async throws {
    call.reply {
      $0.initLeft().initRight().leaf = File.Client.server(FileObject(name: "leaf")).asNode
    }
  }
}
