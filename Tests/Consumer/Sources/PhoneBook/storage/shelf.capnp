@0xe5c1b0a4f7d93a12;

interface Shelf(Key, Value) {
  # Keeps things.

  put @0 (entry :Entry);
  # Adds one.
  all @1 () -> (entries :List(Entry));

  struct Entry { key @0 :Key; value @1 :Value; }
}
