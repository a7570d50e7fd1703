@0xd4c9b1f5a2e87310;
# Every feature of the generator that needs no interface.

using Shapes = import "shapes.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("features");

enum Color {
  # A colour.
  red @0;
  # Like blood.
  green @1;
  blue @2;
  init @3;
  self @4;
  unknown @5;
  default @6;
  rawValue @7;
}

struct Everything {
  # A field of every type.
  #
  # With "quotes", `code` and a backslash \ in its comment.
  bool @0 :Bool;
  int8 @1 :Int8;
  int16 @2 :Int16;
  int32 @3 :Int32;
  int64 @4 :Int64;
  uInt8 @5 :UInt8;
  uInt16 @6 :UInt16;
  uInt32 @7 :UInt32;
  uInt64 @8 :UInt64;
  float32 @9 :Float32;
  float64 @10 :Float64;
  text @11 :Text;
  # A text.
  data @12 :Data;
  child @13 :Everything;
  color @14 :Color;
  void @15 :Void;
  any @16 :AnyPointer;
  anyStruct @17 :AnyStruct;
  anyList @18 :AnyList;
  bools @19 :List(Bool);
  int8s @20 :List(Int8);
  int16s @21 :List(Int16);
  int32s @22 :List(Int32);
  int64s @23 :List(Int64);
  uInt8s @24 :List(UInt8);
  uInt16s @25 :List(UInt16);
  uInt32s @26 :List(UInt32);
  uInt64s @27 :List(UInt64);
  float32s @28 :List(Float32);
  float64s @29 :List(Float64);
  texts @30 :List(Text);
  datas @31 :List(Data);
  children @32 :List(Everything);
  colors @33 :List(Color);
  voids @34 :List(Void);
  matrix @35 :List(List(Int32));
  names @36 :List(List(Text));
  shapes @37 :List(List(Shapes.Shape));
  shape @38 :Shapes.Shape;
}

struct Defaults {
  bool @0 :Bool = true;
  int8 @1 :Int8 = -128;
  int16 @2 :Int16 = -32768;
  int32 @3 :Int32 = -2147483648;
  int64 @4 :Int64 = -9223372036854775808;
  uInt8 @5 :UInt8 = 255;
  uInt16 @6 :UInt16 = 65535;
  uInt32 @7 :UInt32 = 4294967295;
  uInt64 @8 :UInt64 = 18446744073709551615;
  float32 @9 :Float32 = 1.5e-10;
  float64 @10 :Float64 = -2.25e100;
  infinite @11 :Float32 = -inf;
  notANumber @12 :Float64 = nan;
  text @13 :Text = "line\n\"quoted\" \\ äöü \x01";
  data @14 :Data = 0x"00 ff 10";
  color @15 :Color = blue;
  point @16 :Shapes.Point = (x = 3, y = -4);
  int32s @17 :List(Int32) = [1, -2, 3];
  texts @18 :List(Text) = ["a", "", "ccc"];
  points @19 :List(Shapes.Point) = [(x = 1), (y = 2)];
  any @20 :AnyPointer;
}

struct Unions {
  before @0 :UInt32;
  union {
    # Unnamed.
    nothing @1 :Void;
    number @2 :Int64 = 7;
    flag @3 :Bool;
    name @4 :Text;
    bytes @5 :Data;
    child @6 :Unions;
    list @7 :List(UInt16);
    any @8 :AnyPointer;
    color @9 :Color = green;
    pair :group {
      # A group in a union.
      left @10 :UInt32;
      right @11 :Text = "right";
    }
  }
  named :union {
    # A named union.
    yes @12 :Void;
    no @13 :Text;
    inner :group {
      deep @14 :Float64;
      union {
        one @15 :UInt8;
        two @16 :List(Text);
      }
    }
  }
  position :group {
    # A group.
    x @17 :Int16 = 11;
    y @18 :Int16;
    visible @19 :Bool = true;
    label @20 :Text;
  }
}

struct Keywords {
  # Names that mean something in Swift or in generated code.
  class @0 :UInt8;
  self @1 :UInt8;
  init @2 :Text;
  which @3 :UInt8;
  reader @4 :Text;
  retained @5 :Bool;
  hasName @6 :Bool;
  name @7 :Text;
  setName @8 :UInt8;
  initList @9 :UInt8;
  list @10 :List(UInt8);
  type @11 :Type;
  protocol @12 :UInt8;
  default @13 :Color = default;
  in @14 :UInt8 = 3;
  raw @15 :Builder;
  string @16 :String;
  shadowed @17 : .Spot;
  nestedShadow @18 :Spot;
  struct :group { enum @19 :UInt8; }

  enum Type { type @0; protocol @1; some @2; none @3; }
  struct Builder { reader @0 :UInt8; }
  struct Spot { z @0 :UInt8; }
  struct Keywords { again @0 :UInt8; outer @1 : .Keywords; }
}

struct String { double @0 :Float64; text @1 :Text; }
struct Spot { q @0 :UInt16; }

struct Outer {
  middle @0 :Middle;
  struct Middle {
    inner @0 :Inner;
    struct Inner {
      value @0 :UInt32 = 9;
      const deep :UInt8 = 200;
    }
  }
  enum Kind { small @0; large @1; }
  kind @1 :Kind;
  const limit :UInt16 = 512;
  const origin :Shapes.Point = (x = 5, y = 6);
}

struct Unused {}
# No fields at all.

const answer :Int32 = -42;
# The answer.
const ratio :Float64 = 0.1;
const enabled :Bool = true;
const motto :Text = "\"In\" \\ out\n";
const magic :Data = 0x"ca fe 00";
const favourite :Color = self;
const unit :Shapes.Point = (x = 1, y = 1);
const primes :List(UInt32) = [2, 3, 5, 7];
const greetings :List(Text) = ["hello", "salut"];
const nothing :Void = void;
