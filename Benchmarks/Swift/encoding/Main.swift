// encoding CASE ITERATIONS
//
//   WORKLOAD-build       make a message
//   WORKLOAD-read        read one of 16 messages, as bytes in memory
//   WORKLOAD-roundtrip   make a message, copy it to bytes, read it; catrank and eval answer as well
//   WORKLOAD-pack        pack a message
//   WORKLOAD-unpack      unpack it into a message
//   small                make a message of one wheel, copy it to bytes, read it
//
// A WORKLOAD is cars, catrank, eval or texts; the schemas say what each does and what its checksum is.
// Messages are built in one builder that is used over and over. That of the case small is made as the
// library does it by default.

import CapnProto
import Reporting

@main
enum Main {
  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count == 3, let iterations = Int(arguments[2]), iterations > 0 {
      let name = arguments[1]
      switch name {
      case "cars-build": return build(Cars(), name, iterations)
      case "cars-read": return try read(Cars(), name, iterations)
      case "cars-roundtrip": return try roundtrip(Cars(), name, iterations)
      case "cars-pack": return pack(Cars(), name, iterations)
      case "cars-unpack": return try unpack(Cars(), name, iterations)
      case "catrank-build": return build(CatRank(), name, iterations)
      case "catrank-read": return try read(CatRank(), name, iterations)
      case "catrank-roundtrip": return try answered(CatRank(), name, iterations)
      case "catrank-pack": return pack(CatRank(), name, iterations)
      case "catrank-unpack": return try unpack(CatRank(), name, iterations)
      case "eval-build": return build(Eval(), name, iterations)
      case "eval-read": return try read(Eval(), name, iterations)
      case "eval-roundtrip": return try answered(Eval(), name, iterations)
      case "texts-build": return build(TextStrings(), name, iterations)
      case "texts-read": return try read(TextStrings(), name, iterations)
      case "small": return try small(name, iterations)
      default: break
      }
    }
    fail(
      "usage: encoding WORKLOAD-build|-read|-roundtrip|-pack|-unpack ITERATIONS, or small ITERATIONS",
      code: 64)
  }

  private static func reusedBuilder() -> MessageBuilder {
    MessageBuilder(firstSegmentWords: 1 << 14)
  }

  private static func build(_ workload: some Workload, _ name: String, _ iterations: Int) {
    var workload = workload
    var message = reusedBuilder()
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for _ in 0..<iterations {
      workload.fill(message)
      sum &+= UInt64(message.words)
      message.clear()
    }
    report(name, iterations: iterations, elapsed: .now - start, checksum: sum)
  }

  private static func read(_ workload: some Workload, _ name: String, _ iterations: Int) throws {
    var workload = workload
    let messages = (0..<16).map { _ in
      let message = reusedBuilder()
      workload.fill(message)
      return message.flattened()
    }
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for iteration in 0..<iterations {
      sum &+= try MessageReader.read(flat: messages[iteration % 16]) { try workload.value($0) }
    }
    report(name, iterations: iterations, elapsed: .now - start, checksum: sum)
  }

  private static func roundtrip(
    _ workload: some Workload, _ name: String, _ iterations: Int
  ) throws {
    var workload = workload
    var message = reusedBuilder()
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for _ in 0..<iterations {
      workload.fill(message)
      sum &+= try MessageReader.read(flat: message.flattened()) { try workload.value($0) }
      message.clear()
    }
    report(name, iterations: iterations, elapsed: .now - start, checksum: sum)
  }

  private static func answered(
    _ workload: some AnsweredWorkload, _ name: String, _ iterations: Int
  ) throws {
    var workload = workload
    var message = reusedBuilder()
    var answer = reusedBuilder()
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for _ in 0..<iterations {
      workload.fill(message)
      try MessageReader.read(flat: message.flattened()) { try workload.answer($0, answer) }
      sum &+= try MessageReader.read(flat: answer.flattened()) { try workload.check($0) }
      message.clear()
      answer.clear()
    }
    report(name, iterations: iterations, elapsed: .now - start, checksum: sum)
  }

  private static func pack(_ workload: some Workload, _ name: String, _ iterations: Int) {
    var workload = workload
    let message = reusedBuilder()
    workload.fill(message)
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for _ in 0..<iterations { sum &+= UInt64(message.packed().count) }
    report(name, iterations: iterations, elapsed: .now - start, checksum: sum)
  }

  private static func unpack(
    _ workload: some Workload, _ name: String, _ iterations: Int
  ) throws {
    var workload = workload
    let builder = reusedBuilder()
    workload.fill(builder)
    let bytes = builder.packed()
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for iteration in 1...iterations {
      let message = try MessageReader(packed: bytes)
      message.segments { sum &+= UInt64($0.byteCount / 8) }
      if iteration == iterations { sum &+= try workload.value(message) }
    }
    report(name, iterations: iterations, elapsed: .now - start, checksum: sum)
  }

  private static func small(_ name: String, _ iterations: Int) throws {
    var workload = Small()
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for _ in 0..<iterations {
      let message = MessageBuilder()
      workload.fill(message)
      sum &+= try MessageReader.read(flat: message.flattened()) { try workload.value($0) }
    }
    report(name, iterations: iterations, elapsed: .now - start, checksum: sum)
  }
}
