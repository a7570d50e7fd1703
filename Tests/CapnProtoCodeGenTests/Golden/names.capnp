@0xd4c9b1f5a2e87363;

enum Color {
  default @0;
  init @1;
  unknown @2;
}

struct Annotation {
  text @0 :Text;
}

struct Type {
  self @0 :UInt8;
  hasText @1 :Bool;
  text @2 :Text;
  which @3 :UInt8;
  other @4 :List(Annotation);
  annotation :group { in @5 :Type; }
  struct Type { x @0 :UInt8; }
  struct Reader { x @0 :UInt8; }
}
