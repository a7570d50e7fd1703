public import CapTP

extension ConnectionTables: CustomStringConvertible {
  /// The tables in words, with methods by number.
  public var description: String { text() }

  /// The tables in words, one line for each row; tables that are empty are left out.
  ///
  /// - Parameter names: what methods are called.
  /// - Returns: lines, or one that says that there are no rows.
  public func text(names: InterfaceNames = InterfaceNames()) -> String {
    var lines: [String] = []
    for table in Table.allCases {
      let entries = entries(in: table)
      guard !entries.isEmpty else { continue }
      lines.append("\(table.rawValue) (\(entries.count))")
      for entry in entries {
        var line = "  \(entry.id)"
        if let method = entry.method {
          line += " \(names.method(method.methodID, of: method.interfaceID))"
        }
        if let age = entry.age { line += " for \(TraceText.milliseconds(age)) ms" }
        lines.append("\(line): \(entry.state)")
      }
    }
    if corkedMessages > 0 { lines.append("\(corkedMessages) messages are kept back by a cork") }
    return lines.isEmpty ? "all tables are empty" : lines.joined(separator: "\n")
  }
}
