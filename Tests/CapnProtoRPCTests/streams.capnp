@0xc1b7f0a35d28e964;

interface Sink {
  # Takes a stream of bytes.

  write @0 (data :Data) -> stream;
  done @1 () -> (bytes :UInt64);
  # How many bytes were written.
}

struct DiskFull {
  # Why a write failed: thrown by an object, with this as its payload.

  bytesLeft @0 :UInt64;
  path @1 :Text;
}

struct Other { number @0 :UInt8; }
# What nothing throws.
