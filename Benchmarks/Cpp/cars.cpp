// cars CASE ITERATIONS
//
//   build       make a message of 100 cars
//   read        read one of 16 such messages, as bytes in memory, and sum the values of the cars
//   roundtrip   build, copy to one run of bytes, read
//   pack        pack a message of 100 cars into a buffer
//   unpack      unpack it into a message
//   small       build, copy to bytes and read a message of one wheel
//
// Messages are made and read as the library does it by default: no scratch space, no size hints,
// limits on. carsales.capnp says what the messages hold and what a checksum is.

#include <capnp/message.h>
#include <capnp/serialize-packed.h>
#include <capnp/serialize.h>
#include <kj/io.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <vector>

#include "carsales.capnp.h"
#include "report.h"

using namespace bench;

static uint64_t state = 88172645463325252;

static inline uint32_t below(uint32_t n) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<uint32_t>(((state >> 32) * n) >> 32);
}

static inline bool flip() { return below(2) == 1; }

static const capnp::Text::Reader makes[] = {
    "Avellino", "Bergmann", "Corvid", "Dunlin Motors", "Estuary"};
static const capnp::Text::Reader models[] = {
    "A1", "Heron", "Kestrel GT", "Lapwing 2000", "Sanderling", "Tern Estate Long"};

static void fill(Wheel::Builder wheel) {
  wheel.setDiameter(25 + below(15));
  wheel.setPressure(30.0f + below(80) / 4.0f);
  wheel.setSnowTyres(flip());
}

static void fill(Car::Builder car) {
  car.setMake(makes[below(std::size(makes))]);
  car.setModel(models[below(std::size(models))]);
  car.setColour(static_cast<Colour>(below(9)));
  car.setSeats(2 + below(6));
  car.setDoors(2 + below(3));
  for (auto wheel : car.initWheels(4)) fill(wheel);
  car.setLength(170 + below(150));
  car.setWidth(48 + below(36));
  car.setHeight(54 + below(48));
  car.setWeight(1000 + below(2000));
  auto engine = car.initEngine();
  engine.setPower(50 + below(300));
  engine.setCylinders(4 + 2 * below(3));
  engine.setDisplacement(800 + below(10000));
  engine.setUsesFuel(flip());
  engine.setUsesElectricity(flip());
  car.setTankSize(10.0f + below(240) / 8.0f);
  car.setTankLevel(below(80) / 8.0f);
  car.setPowerWindows(flip());
  car.setPowerSteering(flip());
  car.setCruiseControl(flip());
  car.setCupHolders(below(12));
  car.setNavigation(flip());
}

static void fill(ParkingLot::Builder lot) {
  for (auto car : lot.initCars(100)) fill(car);
}

static uint64_t valueOf(Wheel::Reader wheel) {
  uint64_t diameter = wheel.getDiameter();
  return diameter * diameter + (wheel.getSnowTyres() ? 100 : 0) +
      static_cast<uint64_t>(wheel.getPressure() * 4);
}

static uint64_t valueOf(Car::Reader car) {
  uint64_t value = car.getMake().size() * 10 + car.getModel().size() * 7;
  value += car.getSeats() * 200 + car.getDoors() * 350;
  for (auto wheel : car.getWheels()) value += valueOf(wheel);
  value += uint64_t(car.getLength()) * car.getWidth() * car.getHeight() / 50 + car.getWeight();
  auto engine = car.getEngine();
  value += engine.getPower() * 40 + engine.getDisplacement() / 10;
  if (engine.getUsesElectricity()) value += engine.getUsesFuel() ? 5000 : 3000;
  value += static_cast<uint64_t>(car.getTankSize() * 8);
  value += static_cast<uint64_t>(car.getTankLevel() * 8);
  value += (car.getPowerWindows() ? 100 : 0) + (car.getPowerSteering() ? 200 : 0);
  value += (car.getCruiseControl() ? 300 : 0) + car.getCupHolders() * 25;
  value += (car.getNavigation() ? 400 : 0) + static_cast<uint16_t>(car.getColour());
  return value;
}

static uint64_t valueOf(ParkingLot::Reader lot) {
  uint64_t value = 0;
  for (auto car : lot.getCars()) value += valueOf(car);
  return value;
}

static void build(unsigned long iterations) {
  uint64_t cars = 0, last = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::MallocMessageBuilder message;
    auto lot = message.initRoot<ParkingLot>();
    fill(lot);
    cars += lot.getCars().size();
    if (i + 1 == iterations) last = valueOf(lot.asReader());
  }
  report("build", iterations, nanosecondsSince(start), cars + last);
}

static void read(unsigned long iterations) {
  std::vector<kj::Array<capnp::word>> lots;
  for (int i = 0; i < 16; i++) {
    capnp::MallocMessageBuilder message;
    fill(message.initRoot<ParkingLot>());
    lots.push_back(capnp::messageToFlatArray(message));
  }
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::FlatArrayMessageReader message(lots[i % 16]);
    sum += valueOf(message.getRoot<ParkingLot>());
  }
  report("read", iterations, nanosecondsSince(start), sum);
}

static void roundtrip(unsigned long iterations) {
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::MallocMessageBuilder builder;
    fill(builder.initRoot<ParkingLot>());
    auto bytes = capnp::messageToFlatArray(builder);
    capnp::FlatArrayMessageReader message(bytes);
    sum += valueOf(message.getRoot<ParkingLot>());
  }
  report("roundtrip", iterations, nanosecondsSince(start), sum);
}

static kj::Array<kj::byte> packed(
    capnp::MessageBuilder& message, kj::ArrayPtr<kj::byte> buffer) {
  kj::ArrayOutputStream output(buffer);
  capnp::writePackedMessage(output, message);
  return kj::heapArray<kj::byte>(output.getArray());
}

static uint64_t unpackedValue(kj::ArrayPtr<const kj::byte> bytes) {
  kj::ArrayInputStream input(bytes);
  capnp::PackedMessageReader message(input);
  return valueOf(message.getRoot<ParkingLot>());
}

static void pack(unsigned long iterations) {
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<ParkingLot>());
  auto buffer = kj::heapArray<kj::byte>(1 << 20);
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    kj::ArrayOutputStream output(buffer);
    capnp::writePackedMessage(output, message);
  }
  auto elapsed = nanosecondsSince(start);
  report("pack", iterations, elapsed, unpackedValue(packed(message, buffer)));
}

static void unpack(unsigned long iterations) {
  capnp::MallocMessageBuilder builder;
  fill(builder.initRoot<ParkingLot>());
  auto buffer = kj::heapArray<kj::byte>(1 << 20);
  auto bytes = packed(builder, buffer);
  uint64_t cars = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    kj::ArrayInputStream input(bytes);
    capnp::PackedMessageReader message(input);
    cars += message.getRoot<ParkingLot>().getCars().size();
  }
  auto elapsed = nanosecondsSince(start);
  report("unpack", iterations, elapsed, cars + unpackedValue(bytes));
}

static void small(unsigned long iterations) {
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::MallocMessageBuilder builder;
    fill(builder.initRoot<Wheel>());
    auto bytes = capnp::messageToFlatArray(builder);
    capnp::FlatArrayMessageReader message(bytes);
    sum += valueOf(message.getRoot<Wheel>());
  }
  report("small", iterations, nanosecondsSince(start), sum);
}

int main(int argc, char** argv) {
  const struct {
    const char* name;
    void (*run)(unsigned long);
  } cases[] = {{"build", build}, {"read", read}, {"roundtrip", roundtrip}, {"pack", pack},
      {"unpack", unpack}, {"small", small}};
  unsigned long iterations = argc == 3 ? strtoul(argv[2], nullptr, 10) : 0;
  if (iterations > 0) {
    for (auto& one : cases) {
      if (strcmp(argv[1], one.name) == 0) {
        one.run(iterations);
        return 0;
      }
    }
  }
  fprintf(stderr, "usage: cars build|read|roundtrip|pack|unpack|small ITERATIONS\n");
  return 64;
}
