@0xd4c9b1f5a2e87320;
# Every feature of the generator that concerns interfaces.

interface Node {
  # The root of a diamond.
  label @0 () -> (label :Text);
  # What the node is called.
}

interface Readable extends(Node) {
  read @0 (count :UInt32 = 8) -> (bytes :Data);
  close @1 ();
}

interface Writable extends(Node) {
  write @0 (bytes :Data) -> (written :UInt32);
  close @1 () -> (flushed :Bool);
}

interface File extends(Readable, Writable) {
  size @0 () -> (size :UInt64);
  open @1 (name :Text, observer :Observer) -> (file :File);
  label @2 () -> (label :Text);
  # Not the inherited one.
  self @3 ();
  init @4 () -> (value :UInt8);
}

interface Observer {
  event @0 Event -> ();
  find @1 Query -> Query;

  struct Query { text @0 :Text; }
  struct FindCall { text @0 :Text; }
}

struct Event {
  text @0 :Text;
  source @1 :Node;
}

interface Directory {
  # Capabilities wherever they can be.
  lookup @0 (path :List(Text)) -> Entry;
  list @1 () -> (entries :List(Entry), nodes :List(Node));
  any @2 (value :AnyPointer) -> (value :AnyPointer);
  untyped @3 (cap :Capability) -> (cap :Capability);
  plain @4 () -> (plain :Plain);
  recursive @5 () -> Tree;

  struct Plain { number @0 :UInt32; }
}

struct Entry {
  name @0 :Text;
  union {
    none @1 :Void;
    file @2 :File;
    directory @3 :Directory;
    cap @4 :Capability;
  }
  details :group {
    owner @5 :Node;
    inner :group { backup @6 :Directory; }
  }
}

struct Tree {
  left @0 :Tree;
  right @1 :Tree;
  leaf @2 :Node;
}

interface Empty {}
interface Leaf extends(Empty) {}
