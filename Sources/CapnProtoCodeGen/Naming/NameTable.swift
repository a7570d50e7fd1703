/// Gives out the names of a scope, each once.
///
/// Names of the schema have no underscores, and annotations may not give any: what is made up from
/// them, and what the runtime adds, makes way for them by underscores at the end.
struct NameTable {
  private var taken: Set<String>

  /// A table in which the names are given out already.
  init(_ taken: Set<String> = []) { self.taken = taken }

  /// The name, or the first one with more underscores at its end that nothing else has.
  mutating func claim(_ name: String) -> String {
    var name = name
    while !taken.insert(name).inserted { name += "_" }
    return name
  }

  /// The first of the names that nothing else has, or a claim to the last one.
  mutating func claim(_ name: String, or other: @autoclosure () -> String) -> String {
    taken.insert(name).inserted ? name : claim(other())
  }

  /// Gives out names that cannot make way.
  mutating func add(_ names: Set<String>) { taken.formUnion(names) }
}
