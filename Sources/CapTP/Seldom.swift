/// Fields of an entry of a table that mostly are all empty. They take one word in place, which keeps
/// the entry cheap to copy: it is copied whenever it is looked at.
struct Seldom<Fields: InitiallyEmpty> {
  /// None until one of the fields was set.
  private var fields: [Fields] = []

  /// All fields are empty.
  init() {}

  /// The fields.
  var value: Fields {
    get { fields.first ?? Fields() }
    _modify {
      if fields.isEmpty { fields.append(Fields()) }
      yield &fields[0]
    }
  }

  /// Whether no field was set.
  var isEmpty: Bool { fields.isEmpty }
}

extension Seldom: Sendable where Fields: Sendable {}

/// Fields that all are empty at first.
protocol InitiallyEmpty {
  /// Empty fields.
  init()
}
