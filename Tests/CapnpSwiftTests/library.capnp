@0xd0a5bd8d1b1b4a6f;
# What the tests call from the command line.

interface Named {
  name @0 () -> (text :Text);
}

interface Library extends(Named) {
  find @0 (title :Text, pages :List(UInt16), shelf :Shelf) -> (book :Book, found :Found);
  # Gives what it was given.
  never @1 ();
  # Does not return.

  struct Found {
    best :group {
      book @0 :Book;
      score @1 :Float64;
    }
    shelf @2 :Shelf;
  }
}

interface Book extends(Named) {
  page @0 (number :UInt16) -> (text :Text);
}

enum Shelf { fiction @0; physics @1; }
