@0xd4c9b1f5a2e87314;
# Names that Swift, the runtime or generated code use for something else.

using Names = import "/capnp/swift.capnp";

struct Derived {
  # Names that are made up for one field are those of another, or made up for another.
  a @0 :List(Text);
  initA @1 :List(Text);
  aField @2 :List(Text);
  setA @3 :List(Text);
  hasA @4 :List(Text);
  initAField @5 :List(Text);
  setAField @6 :List(Text);
  hasAField @7 :List(Text);
  aFieldField @8 :List(Text);
  capital @9 :Data $Names.name("A");
  initInitA @10 :Derived;
  union {
    empty @11 :Void;
    capitalEmpty @12 :Void $Names.name("Empty");
    setEmpty @13 :Text;
  }
  inner :group { x @14 :UInt8; y @15 :Text; }
  capitalInner :group $Names.name("Inner") { x @16 :UInt8; }
  innerField @17 :Derived;
}

struct Members {
  self @0 :UInt8;
  init @1 :Text;
  type @2 :UInt8;
  protocol @3 :Text;
  which @4 :Text;
  reader @5 :List(UInt8);
  builder @6 :Text;
  description @7 :Text;
  hashValue @8 :UInt32;
  debugDescription @9 :Text;
  retained @10 :Text;
  totalSize @11 :Data;
  raw @12 :Text;
  layout @13 :UInt16;
  typeID @14 :UInt64;
  hasInit @15 :Text;
  clearInit @16 :Text;
  setInit @17 :Text;
  initInit @18 :Text;
  has @19 :Text;
  string @20 :Text;
  throw @21 :Bool;
  try @22 :Bool;
  await @23 :Bool;
  async @24 :Bool;
  nil @25 :Bool;
  true @26 :Bool;
  any @27 :AnyPointer;
  some @28 :Bool;
  url @29 :Text;
  uRL @30 :Text;
  newValue @31 :UInt8;
  value @32 :Text;
  index @33 :UInt8;
  super @34 :Text;
  get @35 :Text;
  set @36 :Text;
  rawValue @37 :UInt8;
  utf8 @38 :Text;
  error @39 :Text;
  adoptInit @40 :Text;
  disownInit @41 :Text;
  copy @42 :Text;
}

enum Cases {
  self @0; init @1; type @2; protocol @3; unknown @4; rawValue @5; hash @6; hashValue @7; none @8;
  some @9; allCases @10; description @11; nil @12; true @13;
}

struct Variants {
  union {
    self @0 :Void;
    init @1 :Text;
    unknown @2 :UInt8;
    which @3 :Text;
    none @4 :Void;
    type @5 :UInt8;
    reader @6 :Text;
    number @7 :UInt16;
  }
}

struct Reader { reader @0 :Reader; }
struct Builder { builder @0 :Builder; }
struct Which { union { which @0 :Which; reader @1 :Reader; } }
struct Client { client @0 :Client; }
struct Server { server @0 :Server; }
struct Pipeline { pipeline @0 :Pipeline; }
struct Value { value @0 :Value; }
struct Of { of @0 :Of; }
struct Swift { swift @0 :Swift; int @1 :Int; }
struct Int { int @0 :Int32; }
struct Span { span @0 :Text; }
struct StructReader { x @0 :StructReader; }
struct PointerType { x @0 :PointerType; }
struct CapnProto { x @0 :CapnProto; }
struct Type { type @0 :Type; protocol @1 :Protocol; }
struct Protocol { type @0 :Type; }
struct StaticString { x @0 :StaticString; }
struct Self { self @0 :Self; }
struct Any { any @0 :Any; }
struct Holder {
  struct Array { array @0 :List(Array); }
  struct Optional { optional @0 :Optional; }
  struct Error { error @0 :Error; }
  struct Never { never @0 :Never; }
  struct Sequence { x @0 :List(Sequence); }
  struct Self { self @0 :Self; }
  struct Any { any @0 :Any; }
  struct ElementReader { x @0 :ElementReader; }
  struct ElementBuilder { x @0 :ElementBuilder; }
  struct Holder { holder @0 :Holder; }
  struct Bool { x @0 :Bool; }
  flags :group { x @0 :Bool; y @1 :UInt8; }
  struct Flags { y @0 :Text; }
}
