@0x803464c84822e897;
# Parking lots of cars, in the manner of the workload by which Cap'n Proto has long been measured:
# small structs, lists of structs, short texts, many scalars.
#
# Every implementation fills its messages from the same numbers, so that checksums can be compared.
# The generator is cheap, as what is measured is the encoding: in 64 bits that wrap around,
#
#     state = 88172645463325252                        # once per process
#     next():    state = state * 6364136223846793005 + 1442695040888963407;  return state
#     below(n):  ((next() >> 32) * n) >> 32            # n is 32 bits wide, all else 64
#
# A lot has 100 cars. The fields of each car are drawn in the order of their ordinals, with the
# formula that stands beside each; the fields of a wheel and of the engine are drawn when their turn
# comes. A boolean is `below(2) == 1`. Texts are from these lists, by index:
#
#     make:   "Avellino", "Bergmann", "Corvid", "Dunlin Motors", "Estuary"
#     model:  "A1", "Heron", "Kestrel GT", "Lapwing 2000", "Sanderling", "Tern Estate Long"

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

struct ParkingLot {
  cars @0 :List(Car);
}

struct Car {
  # The value of a car, in 64-bit integers that wrap around, with truncating division; pattern(x) is
  # the number that the bits of a float are:
  #
  #     bytes in make * 10 + bytes in model * 7 + seats * 200 + doors * 350
  #     + for each wheel: diameter * diameter + (snowTyres ? 100 : 0) + pattern(pressure)
  #     + length * width * height / 50 + weight
  #     + power * 40 + displacement / 10
  #     + (usesElectricity ? (usesFuel ? 5000 : 3000) : 0)
  #     + pattern(tankSize) + pattern(tankLevel)
  #     + (powerWindows ? 100 : 0) + (powerSteering ? 200 : 0) + (cruiseControl ? 300 : 0)
  #     + cupHolders * 25 + (navigation ? 400 : 0) + colour's number
  #
  # The value of a lot is the sum over its cars.

  make @0 :Text;             # below(5)
  model @1 :Text;            # below(6)
  colour @2 :Colour;         # below(9)
  seats @3 :UInt8;           # 2 + below(6)
  doors @4 :UInt8;           # 2 + below(3)
  wheels @5 :List(Wheel);    # always four
  length @6 :UInt16;         # 170 + below(150)
  width @7 :UInt16;          # 48 + below(36)
  height @8 :UInt16;         # 54 + below(48)
  weight @9 :UInt32;         # 1000 + below(2000)
  engine @10 :Engine;
  tankSize @11 :Float32;     # 10 + below(240) / 8
  tankLevel @12 :Float32;    # below(80) / 8
  powerWindows @13 :Bool;
  powerSteering @14 :Bool;
  cruiseControl @15 :Bool;
  cupHolders @16 :UInt8;     # below(12)
  navigation @17 :Bool;
}

struct Wheel {
  diameter @0 :UInt16;       # 25 + below(15)
  pressure @1 :Float32;      # 30 + below(80) / 4
  snowTyres @2 :Bool;
}

struct Engine {
  power @0 :UInt16;          # 50 + below(300)
  cylinders @1 :UInt8;       # 4 + 2 * below(3)
  displacement @2 :UInt32;   # 800 + below(10000)
  usesFuel @3 :Bool;
  usesElectricity @4 :Bool;
}

enum Colour {
  black @0;
  white @1;
  red @2;
  green @3;
  blue @4;
  cyan @5;
  magenta @6;
  yellow @7;
  silver @8;
}
