// cars CASE ITERATIONS
//
//   build       make a message of 100 cars
//   read        read one of 16 such messages, as bytes in memory, and sum the values of the cars
//   roundtrip   build, copy to one run of bytes, read
//   small       build, copy to bytes and read a message of one wheel
//
// Messages are made and read as the library does it by default: no size hints, limits on.

import CapnProto
import Reporting

@main
enum Cars {
  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count == 3, let iterations = Int(arguments[2]), iterations > 0 {
      switch arguments[1] {
      case "build": return try build(iterations)
      case "read": return try read(iterations)
      case "roundtrip": return try roundtrip(iterations)
      case "small": return try small(iterations)
      default: break
      }
    }
    fail("usage: cars build|read|roundtrip|small ITERATIONS", code: 64)
  }

  private static func build(_ iterations: Int) throws {
    var filler = Filler()
    var cars: UInt64 = 0
    var last: UInt64 = 0
    let start = ContinuousClock.now
    for iteration in 1...iterations {
      let message = MessageBuilder()
      let lot = message.initRoot(as: ParkingLot.Builder.self)
      filler.fill(lot)
      cars += UInt64(lot.cars.count)
      if iteration == iterations { last = try lot.reader.value }
    }
    report("build", iterations: iterations, elapsed: .now - start, checksum: cars + last)
  }

  private static func read(_ iterations: Int) throws {
    var filler = Filler()
    let lots = (0..<16).map { _ in
      let message = MessageBuilder()
      filler.fill(message.initRoot(as: ParkingLot.Builder.self))
      return message.flattened()
    }
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for iteration in 0..<iterations {
      sum += try MessageReader.read(flat: lots[iteration % 16]) {
        try $0.root(as: ParkingLot.Reader.self).value
      }
    }
    report("read", iterations: iterations, elapsed: .now - start, checksum: sum)
  }

  private static func roundtrip(_ iterations: Int) throws {
    var filler = Filler()
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for _ in 0..<iterations {
      let message = MessageBuilder()
      filler.fill(message.initRoot(as: ParkingLot.Builder.self))
      sum += try MessageReader.read(flat: message.flattened()) {
        try $0.root(as: ParkingLot.Reader.self).value
      }
    }
    report("roundtrip", iterations: iterations, elapsed: .now - start, checksum: sum)
  }

  private static func small(_ iterations: Int) throws {
    var filler = Filler()
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for _ in 0..<iterations {
      let message = MessageBuilder()
      filler.fill(message.initRoot(as: Wheel.Builder.self))
      sum += try MessageReader.read(flat: message.flattened()) {
        try $0.root(as: Wheel.Reader.self).value
      }
    }
    report("small", iterations: iterations, elapsed: .now - start, checksum: sum)
  }
}
