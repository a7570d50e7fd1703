import CapnProto
import CapnProtoRPC

/// People by name, as whole messages.
actor Book: PhoneBook.Server {
  private var people: [String: Ref<Person.Reader>] = [:]

  func add(_ call: AddCall) async throws {
    let person = try call.params.person
    people[try person.name.string] = try person.retained()
  }

  func find(_ call: FindCall) async throws {
    let name = try call.params.name.string
    guard let person = people[name] else { throw RPCError.failed("nobody is called \(name)") }
    try call.reply { try $0.setPerson(person.reader) }
  }
}

/// The first phone of somebody who is added and then found.
func demonstrate() async throws -> String {
  let book = PhoneBook.Client.server(Book())
  try await book.add {
    $0.person.name = "Ada"
    $0.person.initPhones(1)[0] = "+44 1"
  }.finished()
  let found = try await book.find { $0.name = "Ada" }.results()
  return try found.reader.person.phones[0].string
}
