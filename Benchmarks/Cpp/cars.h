// Parking lots: carsales.capnp says what the messages hold and what their value is.

#pragma once

#include <capnp/message.h>

#include <cstring>
#include <iterator>

#include "carsales.capnp.h"
#include "numbers.h"

namespace bench {

inline uint64_t pattern(float number) {
  uint32_t bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}

inline const capnp::Text::Reader makes[] = {
    "Avellino", "Bergmann", "Corvid", "Dunlin Motors", "Estuary"};
inline const capnp::Text::Reader models[] = {
    "A1", "Heron", "Kestrel GT", "Lapwing 2000", "Sanderling", "Tern Estate Long"};

inline void fill(Wheel::Builder wheel, Numbers& numbers) {
  wheel.setDiameter(25 + numbers.below(15));
  wheel.setPressure(30.0f + numbers.below(80) / 4.0f);
  wheel.setSnowTyres(numbers.flip());
}

inline void fill(Car::Builder car, Numbers& numbers) {
  car.setMake(makes[numbers.below(std::size(makes))]);
  car.setModel(models[numbers.below(std::size(models))]);
  car.setColour(static_cast<Colour>(numbers.below(9)));
  car.setSeats(2 + numbers.below(6));
  car.setDoors(2 + numbers.below(3));
  for (auto wheel : car.initWheels(4)) fill(wheel, numbers);
  car.setLength(170 + numbers.below(150));
  car.setWidth(48 + numbers.below(36));
  car.setHeight(54 + numbers.below(48));
  car.setWeight(1000 + numbers.below(2000));
  auto engine = car.initEngine();
  engine.setPower(50 + numbers.below(300));
  engine.setCylinders(4 + 2 * numbers.below(3));
  engine.setDisplacement(800 + numbers.below(10000));
  engine.setUsesFuel(numbers.flip());
  engine.setUsesElectricity(numbers.flip());
  car.setTankSize(10.0f + numbers.below(240) / 8.0f);
  car.setTankLevel(numbers.below(80) / 8.0f);
  car.setPowerWindows(numbers.flip());
  car.setPowerSteering(numbers.flip());
  car.setCruiseControl(numbers.flip());
  car.setCupHolders(numbers.below(12));
  car.setNavigation(numbers.flip());
}

inline void fill(ParkingLot::Builder lot, Numbers& numbers) {
  for (auto car : lot.initCars(100)) fill(car, numbers);
}

inline uint64_t valueOf(Wheel::Reader wheel) {
  uint64_t diameter = wheel.getDiameter();
  return diameter * diameter + (wheel.getSnowTyres() ? 100 : 0) +
      pattern(wheel.getPressure());
}

inline uint64_t valueOf(Car::Reader car) {
  uint64_t value = car.getMake().size() * 10 + car.getModel().size() * 7;
  value += car.getSeats() * 200 + car.getDoors() * 350;
  for (auto wheel : car.getWheels()) value += valueOf(wheel);
  value += uint64_t(car.getLength()) * car.getWidth() * car.getHeight() / 50 + car.getWeight();
  auto engine = car.getEngine();
  value += engine.getPower() * 40 + engine.getDisplacement() / 10;
  if (engine.getUsesElectricity()) value += engine.getUsesFuel() ? 5000 : 3000;
  value += pattern(car.getTankSize());
  value += pattern(car.getTankLevel());
  value += (car.getPowerWindows() ? 100 : 0) + (car.getPowerSteering() ? 200 : 0);
  value += (car.getCruiseControl() ? 300 : 0) + car.getCupHolders() * 25;
  value += (car.getNavigation() ? 400 : 0) + static_cast<uint16_t>(car.getColour());
  return value;
}

inline uint64_t valueOf(ParkingLot::Reader lot) {
  uint64_t value = 0;
  for (auto car : lot.getCars()) value += valueOf(car);
  return value;
}

struct Cars {
  Numbers numbers;

  void fill(capnp::MessageBuilder& message) {
    bench::fill(message.initRoot<ParkingLot>(), numbers);
  }
  static uint64_t value(capnp::MessageReader& message) {
    return valueOf(message.getRoot<ParkingLot>());
  }
};

// One message of one wheel.
struct Small {
  Numbers numbers;

  void fill(capnp::MessageBuilder& message) {
    bench::fill(message.initRoot<Wheel>(), numbers);
  }
  static uint64_t value(capnp::MessageReader& message) {
    return valueOf(message.getRoot<Wheel>());
  }
};

}  // namespace bench
