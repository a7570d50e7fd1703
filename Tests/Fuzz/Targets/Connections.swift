import CapnProtoTesting

extension FuzzTarget {
  /// A peer of a vat sends messages that fit more or less: the bytes decide which.
  func converse(_ bytes: [UInt8]) {
    check(Simulation.runAgainstHostilePeer(choices: bytes, messages: 80))
  }

  /// A peer of a vat sends the bytes.
  func receive(_ bytes: [UInt8]) { check(Simulation.runAgainstHostilePeer(sending: bytes)) }

  private func check(_ report: Simulation.Report) {
    require(report.violations.isEmpty, "a vat keeps its rules, whatever its peer sends")
  }
}
