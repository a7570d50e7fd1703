@0xd4c9b1f5a2e87312;
# Generic structs.

using Shapes = import "shapes.capnp";

struct Box(T) {
  # Holds one thing.
  value @0 :T;
  label @1 :Text;
  next @2 :Box(T);
  boxed @3 :Box(Box(T));
  anything @4 :Box;
  inner @5 :Inner;
  reader @6 :Reader(Text);
  union {
    none @7 :Void;
    some @8 :T;
    pair :group { left @9 :T; right @10 :UInt32; }
  }

  struct Inner { seen @0 :T; count @1 :UInt16; }
  struct Reader(U) { both @0 :Both(U, T); }
  struct Shadow(T) { own @0 :T; }
  struct Of { x @0 :UInt8; }
  enum Kind { soft @0; hard @1; }
}

struct Both(Left, Right) { left @0 :Left; right @1 :Right; }

struct Map(Key, Value) {
  entries @0 :List(Entry);
  struct Entry { key @0 :Key; value @1 :Value; }
}

struct Bound {
  text @0 :Box(Text);
  data @1 :Box(Data);
  numbers @2 :Box(List(UInt32));
  point @3 :Box(Shapes.Point);
  points @4 :Box(List(Shapes.Point));
  nested @5 :Box(Box(Text));
  unbound @6 :Box;
  map @7 :Map(Text, Shapes.Point);
  entry @8 :Map(Text, Data).Entry;
  shadow @9 :Box(Text).Shadow(Data);
  boxes @10 :List(Box(Text));
  matrix @11 :Box(List(List(Text)));
  kind @12 :Box(Text).Kind;
  defaulted @13 :Box(Text) = (label = "given");
  clash @14 :Uses(Text);
}

struct Uses(Shape) {
  # A parameter with the name of a type of another file, one of Swift's and one of the runtime's.
  shape @0 :Shape;
  other @1 :Shapes.Shape;
  string @2 :Names(Text, Data);
  struct Names(String, TextReader) { a @0 :String; b @1 :TextReader; }
}

const boxed :Box(Text) = (label = "constant");
