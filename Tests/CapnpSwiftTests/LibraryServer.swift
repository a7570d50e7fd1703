import CapnProto
import CapnProtoRPC

final class LibraryServer: Library.Server {
  func find(_ call: FindCall) async throws {
    let title = try call.params.title.string
    guard !title.isEmpty else { throw RPCError.failed("no title") }
    guard !title.hasPrefix("no ") else { throw RPCError.failed(title) }
    let pages = try call.params.pages.map { $0 }
    let shelf = try call.params.shelf
    call.reply {
      let book = Book.Client.server(BookServer(title, pages))
      $0.book = book
      let found = $0.initFound()
      found.best.book = book
      found.best.score = 0.5
      found.shelf = shelf
    }
  }

  func never(_ call: NeverCall) async throws { try await Task.sleep(for: .seconds(600)) }

  func name(_ call: NameCall) async throws { call.reply { $0.text = "the library" } }
}

final class BookServer: Book.Server {
  private let title: String
  private let pages: [UInt16]

  init(_ title: String, _ pages: [UInt16]) {
    self.title = title
    self.pages = pages
  }

  func page(_ call: PageCall) async throws {
    let number = try call.params.number
    guard pages.contains(number) else { throw RPCError.failed("there is no page \(number)") }
    call.reply { $0.text = "page \(number) of \(title)" }
  }

  func name(_ call: NameCall) async throws {
    let title = title
    call.reply { $0.text = title }
  }
}
