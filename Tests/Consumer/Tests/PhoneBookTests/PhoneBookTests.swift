import Testing

@testable import PhoneBook

@Test func whoWasAddedIsFound() async throws {
  #expect(try await demonstrate() == "1: +44 1")
}
