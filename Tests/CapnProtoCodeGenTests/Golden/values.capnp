@0xd4c9b1f5a2e87365;

using Swift = import "/capnp/swift.capnp";
$Swift.value;

struct Shape {
  name @0 :Text = "shape" $Swift.name("title");
  area @1 :Float64 $Swift.deprecated("Compute it.");
  parts @2 :List(Shape);
  union {
    circle @3 :Float32;
    hull @4 :Shape;
  }
}
