import CapnProto

/// What is done with messages; the schema of each says what a message holds.
protocol Workload {
  init()
  /// Builds the next message.
  mutating func fill(_ message: borrowing MessageBuilder)
  /// Reads all of a message, for a checksum.
  func value(_ message: borrowing MessageReader) throws -> UInt64
}

/// A workload whose messages are answered.
protocol AnsweredWorkload: Workload {
  /// Builds the answer to a message.
  func answer(
    _ request: borrowing MessageReader, _ response: borrowing MessageBuilder) throws
  /// Reads all of an answer, for a checksum.
  func check(_ response: borrowing MessageReader) throws -> UInt64
}
