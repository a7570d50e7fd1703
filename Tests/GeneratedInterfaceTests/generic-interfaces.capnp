@0xd4c9b1f5a2e87321;
# Generic interfaces and methods, lists of capabilities, streams.

using Interfaces = import "interfaces.capnp";

interface Store(T) {
  # Keeps one thing.
  get @0 () -> (value :T, cell :Cell(T));
  put @1 (value :T) -> ();
  echo @2 [U] (value :U, other :T) -> (value :U, box :Box(U));
  convert @3 [U] Box(U) -> Box(U);
  sub @4 () -> (store :Store(T), own :Inner);
  stream @5 (value :T) -> stream;

  struct Cell(V) { content @0 :V; kept @1 :T; }
  interface Inner { peek @0 () -> (value :T); }
}

struct Box(T) { value @0 :T; }

interface Named(T) extends(Store(T)) { name @0 () -> (name :T); }
interface Counted extends(Store(Text)) { count @0 () -> (count :UInt32); }
interface Both extends(Named(Text), Counted) { both @0 () -> (); }
# A diamond: both inherit Store(Text).

interface Lender {
  # Generic types, bound in every place.
  texts @0 () -> (store :Store(Text));
  nodes @1 () -> (store :Store(Interfaces.Node));
  boxes @2 () -> (store :Store(Box(Data)));
  caps @3 (caps :List(Capability)) -> (caps :List(Capability));
  any @4 () -> (store :Store);
  pipes @5 () -> (box :Box(Interfaces.Node), nested :Box(Box(Interfaces.Node)), pair :Pair(Text, Store(Text)));
  wrap @6 [U] (value :U) -> (box :Box(U), pair :Pair(U, Store(U)));
}

struct Pair(First, Second) {
  first @0 :First;
  boxed :group { second @1 :Box(Second); }
  inner @2 :Inner;

  struct Inner { both @0 :Pair(Second, First); }
}

struct Labels { box @0 :Box(Text); }
# Leads to no capability.
