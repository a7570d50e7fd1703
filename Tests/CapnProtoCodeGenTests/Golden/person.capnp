@0xd4c9b1f5a2e87360;

struct Person {
  # Somebody.
  #
  # Of whom little is known.

  id @0 :UInt32;
  # Never reused.
  name @1 :Text = "nobody";
  photo @2 :Data;
  phones @3 :List(Phone);
  boss @4 :Person;
  tags @5 :List(Text);

  struct Phone {
    number @0 :Text;
    kind @1 :Kind = work;

    enum Kind {
      home @0;
      # Where the heart is.
      work @1;
    }
  }

  employment :union {
    # What they do.
    unemployed @6 :Void;
    employer @7 :Text;
    school @8 :Person;
    selfEmployed :group {
      since @9 :UInt16;
      remote @10 :Bool;
    }
  }
}
