@0xd0f3a5be7c4419a2;
# The exception of rpc.capnp with a field for programs. Peers that do not know of it skip it.

struct DetailedException {
  reason @0 :Text;
  obsoleteIsCallersFault @1 :Bool;
  obsoleteDurability @2 :UInt16;
  type @3 :UInt16;
  trace @4 :Text;

  details @5 :List(Detail);
  # What programs can read of the error.

  struct Detail {
    detailId @0 :UInt64;
    # Says what the data is: unique as the id of a type of a schema is.
    data @1 :Data;
  }
}
