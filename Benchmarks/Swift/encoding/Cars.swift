// Parking lots: carsales.capnp has the formula of each field, in the order of drawing, and of values.

import CapnProto

struct Cars: Workload {
  private var numbers = Numbers()
  private let makes = ["Avellino", "Bergmann", "Corvid", "Dunlin Motors", "Estuary"]
  private let models = [
    "A1", "Heron", "Kestrel GT", "Lapwing 2000", "Sanderling", "Tern Estate Long",
  ]

  mutating func fill(_ message: borrowing MessageBuilder) {
    let cars = message.initRoot(as: ParkingLot.Builder.self).initCars(100)
    for index in cars.indices { fill(cars[index]) }
  }

  func value(_ message: borrowing MessageReader) throws -> UInt64 {
    var sum: UInt64 = 0
    let cars = try message.root(as: ParkingLot.Reader.self).cars
    for index in cars.indices { sum &+= try cars[index].value }
    return sum
  }

  @inline(__always)
  private mutating func fill(_ car: Car.Builder) {
    let make = numbers.below(5, as: Int.self)
    car.make = makes.span[make]
    let model = numbers.below(6, as: Int.self)
    car.model = models.span[model]
    car.colour = Colour(rawValue: numbers.below(9, as: UInt16.self))
    car.seats = 2 + numbers.below(6, as: UInt8.self)
    car.doors = 2 + numbers.below(3, as: UInt8.self)
    let wheels = car.initWheels(4)
    for index in wheels.indices { numbers.fill(wheels[index]) }
    car.length = 170 + numbers.below(150, as: UInt16.self)
    car.width = 48 + numbers.below(36, as: UInt16.self)
    car.height = 54 + numbers.below(48, as: UInt16.self)
    car.weight = 1000 + numbers.below(2000, as: UInt32.self)
    let engine = car.initEngine()
    engine.power = 50 + numbers.below(300, as: UInt16.self)
    engine.cylinders = 4 + 2 * numbers.below(3, as: UInt8.self)
    engine.displacement = 800 + numbers.below(10000, as: UInt32.self)
    engine.usesFuel = numbers.flip()
    engine.usesElectricity = numbers.flip()
    car.tankSize = 10 + Float(numbers.below(240)) / 8
    car.tankLevel = Float(numbers.below(80)) / 8
    car.powerWindows = numbers.flip()
    car.powerSteering = numbers.flip()
    car.cruiseControl = numbers.flip()
    car.cupHolders = numbers.below(12, as: UInt8.self)
    car.navigation = numbers.flip()
  }
}

/// One message of one wheel.
struct Small: Workload {
  private var numbers = Numbers()

  mutating func fill(_ message: borrowing MessageBuilder) {
    numbers.fill(message.initRoot(as: Wheel.Builder.self))
  }

  func value(_ message: borrowing MessageReader) throws -> UInt64 {
    try message.root(as: Wheel.Reader.self).value
  }
}

extension Numbers {
  fileprivate mutating func fill(_ wheel: Wheel.Builder) {
    wheel.diameter = 25 + below(15, as: UInt16.self)
    wheel.pressure = 30 + Float(below(80)) / 4
    wheel.snowTyres = flip()
  }
}

extension Car.Reader {
  fileprivate var value: UInt64 {
    @inline(__always) get throws(DecodingError) {
      var value = UInt64(truncatingIfNeeded: try make.count &* 10 &+ model.count &* 7)
      value &+= UInt64(seats) &* 200 &+ UInt64(doors) &* 350
      let wheels = try wheels
      for index in wheels.indices { value &+= wheels[index].value }
      value &+= UInt64(length) &* UInt64(width) &* UInt64(height) / 50 &+ UInt64(weight)
      let engine = try engine
      value &+= UInt64(engine.power) &* 40 &+ UInt64(engine.displacement / 10)
      if engine.usesElectricity { value &+= engine.usesFuel ? 5000 : 3000 }
      value &+= UInt64(tankSize.bitPattern) &+ UInt64(tankLevel.bitPattern)
      value &+= (powerWindows ? 100 : 0) &+ (powerSteering ? 200 : 0)
      value &+= (cruiseControl ? 300 : 0) &+ UInt64(cupHolders) &* 25
      value &+= (navigation ? 400 : 0) &+ UInt64(colour.rawValue)
      return value
    }
  }
}

extension Wheel.Reader {
  fileprivate var value: UInt64 {
    let diameter = UInt64(diameter)
    return diameter &* diameter &+ (snowTyres ? 100 : 0) &+ UInt64(pressure.bitPattern)
  }
}
