@0xd4c9b1f5a2e87322;
# Names of methods, and those made up for them, that are taken.

using Swift = import "/capnp/swift.capnp";

struct Same { text @0 :Text; }

interface Base {
  foo @0 Same -> Same;
  fooChild @1 Same -> Same;
  asBase @2 Same -> Same;
  asChild @3 Same -> Same;
  capital @4 Same -> Same $Swift.name("Foo");
  # Its call has the name of the first one's.
  server @5 Same -> Same;

  struct FooCall { x @0 :UInt8; }
  struct FooParams { x @0 :UInt8; }
}

interface Child extends(Base) {
  fooChild @0 Same -> Same;
  foo @1 Same -> Same;
  fooChildChild @2 Same -> Same;
}

interface Left { turn @0 Same -> Same; }
interface Right { turn @0 Same -> Same; }
interface Crossing extends(Left, Right) { stop @0 Same -> Same; turn @1 Same -> Same; }
interface Roundabout extends(Left, Right) { }
# Inherits one name from two unrelated interfaces.

interface Hiding {
  echo @0 [Same] (value :Same, own : .Same) -> (value :Same, own : .Same);
  # The type parameter has the name of a type.
  hide @1 [Hiding] (value :Hiding) -> (value :Hiding);
}
