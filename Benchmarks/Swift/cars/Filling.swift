// What the messages hold: carsales.capnp has the formula of each field, in the order of drawing.

import CapnProto

/// Draws the fields of messages.
struct Filler {
  private var numbers = Numbers()
  private let makes = ["Avellino", "Bergmann", "Corvid", "Dunlin Motors", "Estuary"]
  private let models = [
    "A1", "Heron", "Kestrel GT", "Lapwing 2000", "Sanderling", "Tern Estate Long",
  ]

  mutating func fill(_ lot: ParkingLot.Builder) {
    let cars = lot.initCars(100)
    for index in cars.indices { fill(cars[index]) }
  }

  mutating func fill(_ wheel: Wheel.Builder) {
    wheel.diameter = 25 + numbers.below(15, as: UInt16.self)
    wheel.pressure = 30 + Float(numbers.below(80)) / 4
    wheel.snowTyres = numbers.flip()
  }

  private mutating func fill(_ car: Car.Builder) {
    car.make = makes[numbers.below(5, as: Int.self)]
    car.model = models[numbers.below(6, as: Int.self)]
    car.colour = Colour(rawValue: numbers.below(9, as: UInt16.self))
    car.seats = 2 + numbers.below(6, as: UInt8.self)
    car.doors = 2 + numbers.below(3, as: UInt8.self)
    let wheels = car.initWheels(4)
    for index in wheels.indices { fill(wheels[index]) }
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
