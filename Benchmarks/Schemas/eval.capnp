@0xc1d7c4a7f8a90b66;
# Random arithmetic expressions, in the manner of the workload by which Cap'n Proto has long been
# measured: many small structs with unions, read and built by recursion.
#
# The generator is that of carsales.capnp. An expression at depth d (the root's is 0) draws its
# operation, then its left side, then its right side. A side is a value if below(8) < d, and an
# expression at depth d + 1 otherwise. Arithmetic wraps around in 32 bits; a division or modulus by 0
# is 2147483647, and by -1 the negation or 0.
#
# For a round trip, the expression is made into bytes, read and evaluated, and its value is sent back
# in a message of its own.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

enum Operation {
  add @0;
  subtract @1;
  multiply @2;
  divide @3;
  modulus @4;
}

struct Expression {
  operation @0 :Operation;   # below(5)
  left :union {
    value @1 :Int32;         # below(128) + 1
    expression @2 :Expression;
  }
  right :union {
    value @3 :Int32;         # below(128) + 1
    expression @4 :Expression;
  }
}

struct Evaluation {
  value @0 :Int32;
}
