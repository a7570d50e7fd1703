// What a scenario has to hand: connections to the server under test, and waits that always end.

#pragma once

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/debug.h>

#include "network.h"
#include "objects.h"

#define EXPECT(condition, ...) \
  if (!(condition)) throw Failed{kj::str(#condition " is false", ##__VA_ARGS__)}

struct Failed {
  kj::String reason;
};

// One connection of the client.
class Connection {
public:
  Connection(kj::Own<kj::AsyncIoStream> connected, bool isUnix)
      : stream(kj::mv(connected)),
        network(newNetwork(*stream, isUnix, capnp::rpc::twoparty::Side::CLIENT)),
        rpc(capnp::makeRpcClient(*network)),
        peer(bootstrap()) {}

private:
  kj::Own<kj::AsyncIoStream> stream;
  kj::Own<capnp::TwoPartyVatNetwork> network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;

  interop::Peer::Client bootstrap() {
    capnp::word scratch[4];
    memset(scratch, 0, sizeof(scratch));
    capnp::MallocMessageBuilder message(scratch);
    auto vat = message.getRoot<capnp::rpc::twoparty::VatId>();
    vat.setSide(capnp::rpc::twoparty::Side::SERVER);
    return rpc.bootstrap(vat).castAs<interop::Peer>();
  }

public:
  interop::Peer::Client peer;
};

class Client {
public:
  Client(kj::AsyncIoContext& io, kj::StringPtr address)
      : io(io), address(address), own{io.provider->getTimer()}, main(connect()), peer(main->peer) {}

private:
  kj::AsyncIoContext& io;
  kj::StringPtr address;

public:
  Census own;  // counts the objects that this client hosts
  kj::Own<Connection> main;
  interop::Peer::Client peer;

  // Waits for five seconds at most.
  template <typename T>
  auto wait(T&& promise) {
    auto& timer = io.provider->getTimer();
    return timer.timeoutAfter(5 * kj::SECONDS, kj::mv(promise)).wait(io.waitScope);
  }

  kj::Own<Connection> connect() {
    auto parsed = wait(io.provider->getNetwork().parseAddress(address));
    return kj::heap<Connection>(wait(parsed->connect()), isUnix());
  }

  // Whether descriptors go along with capabilities.
  bool isUnix() const { return address.startsWith("unix:"); }

  // Waits until `condition` holds, asking again every 10 ms, for five seconds at most.
  template <typename F>
  void eventually(kj::StringPtr what, F&& condition) {
    auto& timer = io.provider->getTimer();
    auto end = timer.now() + 5 * kj::SECONDS;
    while (!condition()) {
      if (timer.now() > end) throw Failed{kj::str("never came true: ", what)};
      timer.afterDelay(10 * kj::MILLISECONDS).wait(io.waitScope);
    }
  }

  // The promise must fail, with this kind of exception and a reason that contains `reason`.
  template <typename T>
  void expectFailure(T&& promise, interop::FailureKind kind, kj::StringPtr reason) {
    auto outcome = wait(promise.then(
        [](auto&&) -> kj::Maybe<kj::Exception> { return nullptr; },
        [](kj::Exception&& e) -> kj::Maybe<kj::Exception> { return kj::mv(e); }));
    KJ_IF_MAYBE (e, outcome) {
      bool sameKind = static_cast<int>(e->getType()) == static_cast<int>(kind);
      bool sameReason = strstr(e->getDescription().cStr(), reason.cStr()) != nullptr;
      if (!sameKind || !sameReason) {
        throw Failed{kj::str("expected ", kind, " \"", reason, "\", got ",
            static_cast<interop::FailureKind>(e->getType()), " \"", e->getDescription(), "\"")};
      }
    } else {
      throw Failed{kj::str("expected ", kind, " \"", reason, "\", got an answer")};
    }
  }

  uint32_t liveObjects() { return wait(peer.liveObjectsRequest().send()).getCount(); }
  uint32_t cancelledCalls() { return wait(peer.cancelledCallsRequest().send()).getCount(); }
};

struct Scenario {
  const char* name;
  void (*run)(Client&);
};

extern const kj::ArrayPtr<const Scenario> scenarios;

// Runs all scenarios, or those named, each on a connection of its own. Prints a line for each, and
// returns the process's exit status.
int drive(kj::StringPtr address, kj::ArrayPtr<const kj::String> names);
