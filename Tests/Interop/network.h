// The network of one connection: over a Unix socket, one that carries descriptors.

#pragma once

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>

inline kj::Own<capnp::TwoPartyVatNetwork> newNetwork(
    kj::AsyncIoStream& stream, bool isUnix, capnp::rpc::twoparty::Side side) {
  if (!isUnix) return kj::heap<capnp::TwoPartyVatNetwork>(stream, side);
  auto& socket = dynamic_cast<kj::AsyncCapabilityStream&>(stream);
  return kj::heap<capnp::TwoPartyVatNetwork>(socket, 64, side);
}
