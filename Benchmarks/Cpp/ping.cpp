// ping server ADDRESS                       serves until SIGTERM, for 600 s at most
// ping client ADDRESS COUNT DEPTH [CASE]   runs one case, or all three:
//
//   ping-sequential   COUNT calls, each made when the one before has returned
//   ping-concurrent   COUNT calls, with DEPTH of them under way at any time
//   ping-chain        COUNT / DEPTH times a chain of DEPTH calls, each pipelined on the one before;
//                     an iteration is a chain
//
// ADDRESS is 127.0.0.1:PORT or unix:PATH; with port 0 the server takes a free one and prints
// "listening PORT".

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/async-unix.h>
#include <signal.h>

#include <cstdlib>
#include <cstring>
#include <deque>

#include "ping.capnp.h"
#include "report.h"

using namespace bench;

class PingImpl final : public Ping::Server {
public:
  kj::Promise<void> ping(PingContext context) override {
    context.getResults().setN(context.getParams().getN() + 1);
    return kj::READY_NOW;
  }

  kj::Promise<void> next(NextContext context) override {
    context.getResults().setPing(kj::heap<PingImpl>());
    return kj::READY_NOW;
  }
};

static int serve(kj::StringPtr address) {
  kj::UnixEventPort::captureSignal(SIGTERM);
  auto io = kj::setupAsyncIo();
  auto parsed = io.provider->getNetwork().parseAddress(address).wait(io.waitScope);
  auto listener = parsed->listen();
  if (address.startsWith("unix:")) {
    printf("listening %s\n", address.cStr());
  } else {
    printf("listening %u\n", listener->getPort());
  }
  fflush(stdout);
  capnp::TwoPartyServer server(kj::heap<PingImpl>());
  server.listen(*listener)
      .exclusiveJoin(io.unixEventPort.onSignal(SIGTERM).ignoreResult())
      .exclusiveJoin(io.provider->getTimer().afterDelay(600 * kj::SECONDS))
      .wait(io.waitScope);
  return 0;
}

static capnp::RemotePromise<Ping::PingResults> call(Ping::Client& ping, uint64_t n) {
  auto request = ping.pingRequest();
  request.setN(n);
  return request.send();
}

static void sequential(Ping::Client& ping, unsigned long count, kj::WaitScope& waitScope) {
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < count; i++) sum += call(ping, i).wait(waitScope).getN();
  report("ping-sequential", count, nanosecondsSince(start), sum);
}

static void concurrent(
    Ping::Client& ping, unsigned long count, unsigned long depth, kj::WaitScope& waitScope) {
  uint64_t sum = 0;
  std::deque<capnp::RemotePromise<Ping::PingResults>> underWay;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < count; i++) {
    if (underWay.size() == depth) {
      sum += underWay.front().wait(waitScope).getN();
      underWay.pop_front();
    }
    underWay.push_back(call(ping, i));
  }
  while (!underWay.empty()) {
    sum += underWay.front().wait(waitScope).getN();
    underWay.pop_front();
  }
  report("ping-concurrent", count, nanosecondsSince(start), sum);
}

static void chain(
    Ping::Client& ping, unsigned long count, unsigned long depth, kj::WaitScope& waitScope) {
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < count; i++) {
    Ping::Client last = ping;
    for (unsigned long j = 1; j < depth; j++) last = last.nextRequest().send().getPing();
    sum += call(last, i).wait(waitScope).getN();
  }
  report("ping-chain", count, nanosecondsSince(start), sum);
}

static int drive(
    kj::StringPtr address, unsigned long count, unsigned long depth, kj::StringPtr only) {
  auto io = kj::setupAsyncIo();
  auto parsed = io.provider->getNetwork().parseAddress(address).wait(io.waitScope);
  auto stream = parsed->connect().wait(io.waitScope);
  capnp::TwoPartyClient client(*stream);
  auto ping = client.bootstrap().castAs<Ping>();
  for (int i = 0; i < 100; i++) call(ping, i).wait(io.waitScope);
  auto wanted = [&](kj::StringPtr name) { return only == "" || only == name; };
  if (wanted("ping-sequential")) sequential(ping, count, io.waitScope);
  if (wanted("ping-concurrent")) concurrent(ping, count, depth, io.waitScope);
  if (wanted("ping-chain")) chain(ping, kj::max(count / depth, 1ul), depth, io.waitScope);
  return 0;
}

int main(int argc, char** argv) {
  try {
    if (argc == 3 && strcmp(argv[1], "server") == 0) return serve(argv[2]);
    if ((argc == 5 || argc == 6) && strcmp(argv[1], "client") == 0) {
      unsigned long count = strtoul(argv[3], nullptr, 10), depth = strtoul(argv[4], nullptr, 10);
      if (count > 0 && depth > 0) {
        return drive(argv[2], count, depth, argc == 6 ? argv[5] : "");
      }
    }
  } catch (kj::Exception& exception) {
    fprintf(stderr, "ping: %s\n", exception.getDescription().cStr());
    return 1;
  }
  fprintf(stderr, "usage: ping server ADDRESS | ping client ADDRESS COUNT DEPTH [CASE]\n");
  return 64;
}
