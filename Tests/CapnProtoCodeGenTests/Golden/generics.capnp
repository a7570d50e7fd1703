@0xd4c9b1f5a2e87364;

struct Box(T) {
  value @0 :T;
  union {
    none @1 :Void;
    some @2 :Box(Box(T));
  }
}

interface Store(T) {
  get @0 () -> (value :T);
  echo @1 [U] (value :U) -> (box :Box(U));
  write @2 (value :T) -> stream;
}

interface Texts extends(Store(Text)) {}
