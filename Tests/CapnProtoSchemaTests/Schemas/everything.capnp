@0xe3a5c1d7b9f20461;
# Every feature of the schema language that a value can have.

using Json = import "/capnp/compat/json.capnp";

enum Color { red @0; green @1; darkBlue @2 $Json.name("dark-blue"); }

struct Everything {
  void @0 :Void;
  bool @1 :Bool;
  int8 @2 :Int8;
  int16 @3 :Int16;
  int32 @4 :Int32;
  int64 @5 :Int64;
  uint8 @6 :UInt8;
  uint16 @7 :UInt16;
  uint32 @8 :UInt32;
  uint64 @9 :UInt64;
  float32 @10 :Float32;
  float64 @11 :Float64;
  text @12 :Text;
  data @13 :Data;
  color @14 :Color;
  child @15 :Everything;
  voids @16 :List(Void);
  bools @17 :List(Bool);
  int8s @18 :List(Int8);
  int16s @19 :List(Int16);
  int32s @20 :List(Int32);
  int64s @21 :List(Int64);
  uint8s @22 :List(UInt8);
  uint16s @23 :List(UInt16);
  uint32s @24 :List(UInt32);
  uint64s @25 :List(UInt64);
  float32s @26 :List(Float32);
  float64s @27 :List(Float64);
  texts @28 :List(Text);
  datas @29 :List(Data);
  colors @30 :List(Color);
  children @31 :List(Everything);
  matrix @32 :List(List(Int16));
  names @33 :List(List(Text));
  union {
    nothing @34 :Void;
    number @35 :Int32 = 3;
    word @36 :Text;
    pair :group { left @37 :UInt8; right @38 :Text; }
    choice @39 :Choice;
  }
  shape :union {
    point @40 :Void;
    circle @41 :Float64;
    box :group { width @42 :Float32; height @43 :Float32; }
    label @44 :Text;
  }
  position :group { x @45 :Int32 = -1; y @46 :Int32; name @47 :Text; }
  boxed @48 :Box(Text);
  nested @49 :Box(Box(Choice));
  unbound @50 :Box;
  defaults @51 :Defaults;
  choices @52 :List(Choice);
  boxes @53 :List(Box(List(Int8)));
}

struct Choice {
  union { a @0 :Text; b @1 :Int8; c @2 :List(Choice); }
  after @3 :Text;
}

struct Box(T) {
  value @0 :T;
  weight @1 :UInt32;
}

struct Defaults {
  bool @0 :Bool = true;
  int8 @1 :Int8 = -128;
  int64 @2 :Int64 = -9223372036854775808;
  uint64 @3 :UInt64 = 18446744073709551615;
  float32 @4 :Float32 = 1.5e-10;
  infinite @5 :Float64 = inf;
  text @6 :Text = "default";
  data @7 :Data = 0x"00 ff 10";
  color @8 :Color = darkBlue;
  choice @9 :Choice = (b = 5);
  numbers @10 :List(Int16) = [1, -2, 3];
  again @11 :Defaults = ();
}

struct Pointers {
  any @0 :AnyPointer;
  structure @1 :AnyStruct;
  list @2 :AnyList;
  capability @3 :Capability;
  service @4 :Service;
  services @5 :List(Service);
}

interface Base { ping @0 (); }

interface Service extends(Base) {
  call @0 (number :Int32, text :Text = "x") -> (result :Box(Data));
  store @1 [T] (value :T) -> (box :Box(T));
}

struct Outer(T) {
  inner @0 :Inner(Text);
  struct Inner(U) { one @0 :T; two @1 :U; deeper @2 :Box(T); }
}

struct UsesOuter { field @0 :Outer(Data); }

struct Json2 $Json.discriminator(name = "kind") {
  renamed @0 :Text $Json.name("another-name");
  flat :group $Json.flatten() { one @1 :Int32; two @2 :Text; }
  prefixed @3 :Flat $Json.flatten(prefix = "p.");
  bytes @4 :Data $Json.base64;
  hex @5 :Data $Json.hex;
  plain @6 :Data;
  union {
    none @7 :Void;
    word @8 :Text;
    flatMember @9 :Flat $Json.flatten(prefix = "m.");
    groupMember :group $Json.flatten() { left @10 :Int8; right @11 :Int8; }
    renamedMember @12 :Int16 $Json.name("other");
  }
  shared :union $Json.flatten() $Json.discriminator(valueName = "payload") {
    number @13 :Float64;
    text @14 :Text;
  }
  tagged :union $Json.discriminator() { x @15 :Int32; y @16 :Void; }
  colors @17 :List(Color);
  big @18 :Int64;
  bigs @19 :List(UInt64);
}

struct Flat { a @0 :Int32; b @1 :Text $Json.name("bee"); }

const answer :Int32 = -42;
const origin :Choice = (b = 7, after = "after");
const colors :List(Color) = [red, darkBlue];
const motto :Text = "\"In\" \\ out\n";
