@0xe275bb32b79d9058;
# Calls that do next to nothing: what is measured is the runtime.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

interface Ping {
  # The bootstrap object of a ping server.

  ping @0 (n :UInt64) -> (n :UInt64);
  # Returns n + 1.

  next @1 () -> (ping :Ping);
  # A new object of the same kind, for chains of pipelined calls.

  echo @2 (data :Data) -> (data :Data);
  # Returns what it was given.

  write @3 (data :Data) -> stream;
  # Takes bytes, and counts them.

  written @4 () -> (bytes :UInt64);
  # How many bytes were written since this was asked for last.
}
