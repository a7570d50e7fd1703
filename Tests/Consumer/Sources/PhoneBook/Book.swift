import CapnProto
import CapnProtoRPC
import Contacts

/// People by name, as plain values.
actor Book: PhoneBook.Server {
  private var people: [String: Person.Value] = [:]
  private let size = Size.Value()

  func put(_ call: Shelf.PutCall<TextType, Person>) async throws {
    let entry = try call.params.entry
    guard people.count < size.most else { throw RPCError.failed("the book is full") }
    people[try entry.key.string] = try Person.Value(entry.value)
  }

  func all(_ call: Shelf.AllCall<TextType, Person>) async throws {
    call.reply {
      let entries = $0.initEntries(people.count)
      for (index, (name, person)) in people.sorted(by: { $0.key < $1.key }).enumerated() {
        entries[index].key.string = name
        person.write(to: entries[index].value.structure)
      }
    }
  }

  func find(_ call: PhoneBook.FindCall) async throws {
    let name = try call.params.name.string
    guard let person = people[name] else { throw RPCError.failed("nobody is called \(name)") }
    call.reply { person.write(to: $0.person) }
  }
}

/// The first phone of somebody who is added and then found.
func demonstrate() async throws -> String {
  let book = PhoneBook.Client.server(Book())
  try await book.put {
    $0.entry.key.string = "Ada"
    Person.Value(name: "Ada", phone: "+44 1").write(to: $0.entry.value.structure)
  }.finished()
  let all = try await book.asShelf.all().results { try $0.entries.count }
  let found = try await book.find { $0.name = "Ada" }.results()
  return try "\(all): \(found.reader.person.phones[0].string)"
}
