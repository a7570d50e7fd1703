@main struct Main {
  static func main() async throws {
    print("Ada's phone is \(try await demonstrate())")
  }
}
