// What checksums are made of: carsales.capnp has the formula.

import CapnProto

extension ParkingLot.Reader {
  /// The sum over the cars.
  var value: UInt64 {
    get throws(DecodingError) {
      var sum: UInt64 = 0
      let cars = try cars
      for index in cars.indices { sum += try cars[index].value }
      return sum
    }
  }
}

extension Car.Reader {
  var value: UInt64 {
    get throws(DecodingError) {
      var value = UInt64(try make.count) * 10 + UInt64(try model.count) * 7
      value += UInt64(seats) * 200 + UInt64(doors) * 350
      let wheels = try wheels
      for index in wheels.indices { value += wheels[index].value }
      value += UInt64(length) * UInt64(width) * UInt64(height) / 50 + UInt64(weight)
      let engine = try engine
      value += UInt64(engine.power) * 40 + UInt64(engine.displacement) / 10
      if engine.usesElectricity { value += engine.usesFuel ? 5000 : 3000 }
      value += UInt64(tankSize * 8)
      value += UInt64(tankLevel * 8)
      value += (powerWindows ? 100 : 0) + (powerSteering ? 200 : 0)
      value += (cruiseControl ? 300 : 0) + UInt64(cupHolders) * 25
      value += (navigation ? 400 : 0) + UInt64(colour.rawValue)
      return value
    }
  }
}

extension Wheel.Reader {
  var value: UInt64 {
    let diameter = UInt64(diameter)
    return diameter * diameter + (snowTyres ? 100 : 0) + UInt64(pressure * 4)
  }
}
