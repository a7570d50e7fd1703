@0xb2f3d6a1c4e58790;

interface Calculator {
  # The calculator of the tests.

  evaluate @0 (expression :Expression) -> (value :Value);
  fail @1 (kind :UInt16, reason :Text);
  wait @2 ();
  # Does not return until it is cancelled.
  use @3 (callback :Callback, times :UInt32) -> (sum :UInt64);
  # Calls the callback with 0, 1, 2... and adds up what it returns.
  echo @4 (callback :Callback) -> (callback :Callback);
  later @5 (value :Value) -> (value :Value);
  # A promise, which `settle` turns into the value.
  settle @6 ();
}

struct Expression {
  union {
    literal @0 :Float64;
    previous @1 :Value;
    sum :group {
      left @2 :Value;
      right @3 :Value;
    }
  }
}

interface Value {
  read @0 () -> (value :Float64);
  plus @1 (other :Float64) -> (value :Value);
}

interface Callback {
  call @0 (number :UInt64) -> (number :UInt64);
}

interface ScientificCalculator extends(Calculator) {
  # What no object of the tests implements.
  sine @0 (x :Float64) -> (y :Float64);
}

interface Sizes {
  reflect @0 (data :Data) -> (data :Data);
  # Returns what it was given.
}

interface Tally {
  # A number, and an object for the next one.

  next @0 () -> (tally :Tally);
  value @1 () -> (value :UInt64);
}
