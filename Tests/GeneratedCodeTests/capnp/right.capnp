@0x9f6bc2a4e1d03b58;

using Left = import "left.capnp";

struct Right {
  left @0 :Left.Left;
  event @1 :Event;
}

struct Event {
  text @0 :Text;
}
