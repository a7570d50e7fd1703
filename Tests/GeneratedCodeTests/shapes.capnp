@0xd4c9b1f5a2e87311;

struct Point {
  x @0 :Int32;
  y @1 :Int32;
}

struct Shape {
  name @0 :Text;
  corners @1 :List(Point);
}
