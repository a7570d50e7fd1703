// ping server ADDRESS              serves until SIGTERM, for 600 s at most
// ping client ADDRESS CASE COUNT   runs COUNT iterations of the case, each of which is
//
//   ping-sequential   a call, made when the one before has returned
//   ping-N            a call, with N of them under way at any time
//   ping-chain        8 calls, each pipelined on the one before
//   ping-echo         a call that takes 1 MiB and returns it
//   ping-stream       a streaming call that takes 64 KiB
//   ping-local        a call on an object of the client's own process, after the one before
//
// ADDRESS is 127.0.0.1:PORT or unix:PATH; with port 0 the server takes a free one and prints
// "listening PORT".

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/async-unix.h>
#include <signal.h>

#include <cstdlib>
#include <cstring>

#include "ping_client.h"

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

static int drive(kj::StringPtr address, const char* name, unsigned long count) {
  auto io = kj::setupAsyncIo();
  auto parsed = io.provider->getNetwork().parseAddress(address).wait(io.waitScope);
  auto stream = parsed->connect().wait(io.waitScope);
  capnp::TwoPartyClient client(*stream);
  bool isLocal = strcmp(name, "ping-local") == 0;
  bench::Ping::Client target = isLocal ? bench::Ping::Client(kj::heap<PingImpl>())
                                       : client.bootstrap().castAs<bench::Ping>();
  PingClient ping(kj::mv(target), io.waitScope);
  uint64_t checksum;
  auto start = std::chrono::steady_clock::now();
  if (isLocal || strcmp(name, "ping-sequential") == 0) {
    checksum = ping.sequential(count);
  } else if (strcmp(name, "ping-chain") == 0) {
    checksum = ping.chain(count, 8);
  } else if (strcmp(name, "ping-echo") == 0) {
    checksum = ping.echo(count);
  } else if (strcmp(name, "ping-stream") == 0) {
    checksum = ping.stream(count);
  } else {
    unsigned long depth = strtoul(name + strlen("ping-"), nullptr, 10);
    if (depth == 0) return 64;
    checksum = ping.concurrent(count, depth);
  }
  report(name, count, nanosecondsSince(start), checksum);
  return 0;
}

int main(int argc, char** argv) {
  try {
    if (argc == 3 && strcmp(argv[1], "server") == 0) return serve(argv[2]);
    if (argc == 5 && strcmp(argv[1], "client") == 0 && strncmp(argv[3], "ping-", 5) == 0) {
      unsigned long count = strtoul(argv[4], nullptr, 10);
      if (count > 0) return drive(argv[2], argv[3], count);
    }
  } catch (kj::Exception& exception) {
    fprintf(stderr, "ping: %s\n", exception.getDescription().cStr());
    return 1;
  }
  fprintf(stderr, "usage: ping server ADDRESS | ping client ADDRESS CASE COUNT\n");
  return 64;
}
