@0x9f6bc2a4e1d03b57;
# A file of a folder named as that of the standard schemas. It and right.capnp import each other, and
# both declare Event.

using Right = import "right.capnp";

struct Left {
  right @0 :Right.Right;
  event @1 :Event;
}

struct Event {
  number @0 :UInt32;
}
