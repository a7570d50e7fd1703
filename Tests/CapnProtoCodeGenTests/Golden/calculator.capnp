@0xd4c9b1f5a2e87361;

interface Base {
  ping @0 ();
}

interface Calculator extends(Base) {
  # Computes.

  evaluate @0 (expression :Expression) -> (value :Value);
  # Starts a computation.
  ping @1 ();

  struct Expression {
    union {
      literal @0 :Float64;
      previous @1 :Value;
    }
  }

  interface Value {
    read @0 () -> (value :Float64);
  }
}
