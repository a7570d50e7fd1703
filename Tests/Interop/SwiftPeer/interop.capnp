@0xdaca8e4a2c05d8ad;
# What two implementations of Cap'n Proto RPC must agree on, as one interface. A peer in any
# language serves `Peer` as its bootstrap object, once per connection, or drives it as a client;
# the clients run the same named scenarios and so find out whether both sides mean the same thing.
# Every server keeps two counts for the whole process: live objects and cancelled calls. All else
# that a `Peer` remembers belongs to its connection and goes away with it.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("interop");

interface Peer {
  # The bootstrap object.

  # --- Values -----------------------------------------------------------------------------------

  echo @0 (values :Values) -> (values :Values);
  # Gives back what it was given.

  mirror @1 (values :Values) -> (values :Values);
  # Reads every field and writes its mirror image: booleans and all bits of integers inverted,
  # floats negated, the bytes of text (ASCII here) and data reversed, lists reversed with each
  # element mirrored, red and blue exchanged, points with x and y exchanged. A union keeps its
  # member and mirrors the value in it; a struct pointer that is null stays null.

  echoData @2 (data :Data) -> (data :Data);
  # Gives back what it was given, up to a mebibyte at the least.

  # --- Capabilities of the server ---------------------------------------------------------------

  newCounter @3 (start :Int64) -> (counter :Counter);

  newCounters @4 (count :UInt32) -> (counters :List(Counter));
  # Counters that start at 0, 1, 2 ... At most 1000.

  newNamedCounter @5 (name :Text, start :Int64) -> (counter :NamedCounter);

  newNode @6 (name :Text, afterMilliseconds :UInt32) -> (node :Node);
  # The root of a path, answered after a delay, so that calls pipelined on the answer must wait in
  # the server. Fails with "a node needs a name" if `name` is empty.

  newSequence @7 () -> (sequence :Sequence);

  find @8 (name :Text) -> (capability :Capability);
  # A new object by name: "counter" (a Counter from 0), "namedCounter" (a NamedCounter from 0 of
  # that name), "sequence". Any other name gives null.

  liveObjects @9 () -> (count :UInt32);
  # How many objects of the kinds above (and Resolvers) exist in this server, whoever holds them.

  # --- Capabilities of the client ---------------------------------------------------------------

  callBack @10 (callback :Callback, times :UInt32) -> (sum :Int64);
  # Calls `callback.call(n)` for n = 0 ... times-1, each after the one before has returned, and
  # adds up the answers. An exception from the callback is passed on with its kind.

  forward @11 (callback :Callback, n :Int64) -> Callback.Answer;
  # Answers with a tail call to `callback.call(n)`.

  hold @12 (callback :Callback);
  # Keeps the callback for this connection, in place of the one held before.

  callHeld @13 (n :Int64) -> (n :Int64);
  # Calls the held callback. Fails with "nothing is held" if there is none.

  returnHeld @14 () -> (callback :Callback);
  # Gives the held callback back, and goes on holding it.

  dropHeld @15 ();
  # Lets go of the held callback.

  echoSequence @16 (sequence :Sequence) -> (sequence :Sequence);
  # Gives a capability back to its owner. Calls pipelined on the answer travel to the server and
  # back; calls made after the answer has arrived are local, and may not overtake them.

  sumCounters @17 (counters :List(Counter)) -> (sum :Int64);
  # Adds up `value()` of every counter, whichever side each of them lives on.

  # --- Failure and time -------------------------------------------------------------------------

  fail @18 (kind :FailureKind, reason :Text);
  # Throws an exception of this kind whose reason is, or contains, `reason`.

  never @19 () -> (counter :Counter);
  # Does not return. A call that is cancelled, or whose connection ends, adds one to
  # `cancelledCalls`.

  cancelledCalls @20 () -> (count :UInt32);
  # How many calls of `never` have been cancelled in this server.

  newPromise @21 () -> (counter :Counter, resolver :Resolver);
  # Returns at once a counter that is a promise: calls on it wait until `resolver` is used.

  disconnect @22 ();
  # The server closes this connection's transport at once: no return, no abort.

  # --- Streams ----------------------------------------------------------------------------------

  newSink @23 () -> (sink :Sink);

  # --- Descriptors, which go along with capabilities over a Unix socket --------------------------

  newNotes @24 (texts :List(Text)) -> (notes :List(Note));
  # A note of each text. One whose text is empty has no descriptor.

  lateNote @25 (text :Text, afterMilliseconds :UInt32) -> (note :Note);
  # Returns at once a promise, which becomes a note of the text after a delay.

  readNotes @26 (notes :List(Note), padding :Data) -> (texts :List(Text));
  # What the notes' descriptors give to read; an empty text for a note without one.
}

interface PeerOfTomorrow extends(Peer) {
  # What a newer client believes that the server offers. No server implements it: a call of
  # `later` is answered with `unimplemented`, and so is a call of an unknown method of Peer.

  later @0 ();
}

# --- Objects ------------------------------------------------------------------------------------

interface Counter {
  value @0 () -> (value :Int64);

  add @1 (n :Int64) -> (value :Int64);
  # Adds, and returns the new value.
}

interface Named {
  name @0 () -> (name :Text);
}

interface NamedCounter extends(Counter, Named) {
  # Inherits from two interfaces; the ordinals of all three start at 0.

  rename @0 (name :Text) -> (old :Text);
}

interface Node {
  child @0 (name :Text, afterMilliseconds :UInt32) -> (node :Node);
  # As `Peer.newNode`, one level below this node.

  path @1 () -> (path :Text);
  # The names from the root to this node, with "/" between them.

  place @2 () -> (place :Place);
  # This node as a member of a struct, two pointers deep, for pipelines through struct fields.

  struct Place {
    label @0 :Text;
    inner @1 :Inner;
    struct Inner {
      depth @0 :UInt32;
      node @1 :Node;
    }
  }
}

interface Sequence {
  # Knows in which order its calls arrive.

  next @0 (expected :UInt32) -> (n :UInt32);
  # Returns 0, 1, 2 ... and fails with "out of order: expected E, is N" if that is not `expected`.
}

interface Sink {
  # Takes a stream.

  write @0 (data :Data) -> stream;
  # Takes a millisecond. Fails with "nothing to write" if there is no data.

  done @1 () -> (bytes :UInt64, atOnce :UInt32);
  # How many bytes were written, and how many writes were under way at once at most.
}

interface Note {
  # Has a descriptor from which its text can be read, once: the end of a pipe.

  text @0 () -> (text :Text);
}

interface Callback {
  # Hosted by the client.

  call @0 (n :Int64) -> Answer;

  struct Answer {
    n @0 :Int64;
  }
}

interface Resolver {
  # Settles the promise that `Peer.newPromise` returned with it. A second use of either method
  # fails with "already settled". A promise whose Resolver goes away unused fails.

  fulfil @0 (counter :Counter);
  # The promise becomes this counter: the server's, the client's, another promise, or null.

  reject @1 (kind :FailureKind, reason :Text);
  # The promise fails, and with it every call that waits on it.
}

# --- Data ---------------------------------------------------------------------------------------

enum FailureKind {
  # The kinds of exception in rpc.capnp, in the same order.

  failed @0;
  overloaded @1;
  disconnected @2;
  unimplemented @3;
}

enum Colour {
  red @0;
  green @1;
  blue @2;
}

struct Point {
  x @0 :Int32;
  y @1 :Int32;
}

struct Values {
  bool @0 :Bool;
  int8 @1 :Int8;
  int16 @2 :Int16;
  int32 @3 :Int32;
  int64 @4 :Int64;
  uint8 @5 :UInt8;
  uint16 @6 :UInt16;
  uint32 @7 :UInt32;
  uint64 @8 :UInt64;
  float32 @9 :Float32;
  float64 @10 :Float64;
  colour @11 :Colour;
  text @12 :Text;
  data @13 :Data;
  point @14 :Point;
  bools @15 :List(Bool);
  int32s @16 :List(Int32);
  float64s @17 :List(Float64);
  texts @18 :List(Text);
  points @19 :List(Point);
  matrix @20 :List(List(UInt16));
  choice :union {
    nothing @21 :Void;
    number @22 :Int64;
    word @23 :Text;
    place @24 :Point;
  }
  limit @25 :UInt32 = 1000;
  # Has a default, so that zero on the wire is 1000.
}
