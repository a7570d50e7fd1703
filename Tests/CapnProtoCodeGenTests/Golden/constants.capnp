@0xd4c9b1f5a2e87362;

const limit :UInt16 = 512;
# How many.
const greeting :Text = "hello\n";
const origin :Point = (x = 1, y = -1);
const primes :List(UInt8) = [2, 3, 5];

struct Point {
  x @0 :Int32;
  y @1 :Int32 = 7;
  tags @2 :List(Text) = ["a"];
  const dimensions :UInt8 = 2;
}
