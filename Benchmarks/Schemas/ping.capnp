@0xe275bb32b79d9058;
# The least that a call can carry: what is measured is the runtime, not the payload.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

interface Ping {
  # The bootstrap object of a ping server.

  ping @0 (n :UInt64) -> (n :UInt64);
  # Returns n + 1.

  next @1 () -> (ping :Ping);
  # A new object of the same kind, for chains of pipelined calls.
}
