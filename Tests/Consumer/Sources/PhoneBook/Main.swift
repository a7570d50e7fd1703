@main struct Main {
  static func main() async throws {
    print("The book has \(try await demonstrate())")
  }
}
