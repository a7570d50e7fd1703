// The cases that a ping client times.

#pragma once

#include <kj/async.h>

#include <cstring>
#include <deque>

#include "ping_server.h"
#include "report.h"

class PingClient {
public:
  PingClient(bench::Ping::Client ping, kj::WaitScope& waitScope)
      : ping(kj::mv(ping)), waitScope(waitScope) {
    for (int i = 0; i < 100; i++) call(this->ping, i).wait(waitScope);
  }

  // Runs the case and returns its checksum.
  uint64_t sequential(unsigned long count) {
    uint64_t sum = 0;
    for (unsigned long i = 0; i < count; i++) sum += call(ping, i).wait(waitScope).getN();
    return sum;
  }

  uint64_t concurrent(unsigned long count, unsigned long depth) {
    uint64_t sum = 0;
    std::deque<capnp::RemotePromise<bench::Ping::PingResults>> underWay;
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
    return sum;
  }

  uint64_t chain(unsigned long count, unsigned long depth) {
    uint64_t sum = 0;
    for (unsigned long i = 0; i < count; i++) {
      bench::Ping::Client last = ping;
      for (unsigned long j = 1; j < depth; j++) last = last.nextRequest().send().getPing();
      sum += call(last, i).wait(waitScope).getN();
    }
    return sum;
  }

  uint64_t echo(unsigned long count) {
    uint64_t sum = 0;
    auto data = filled(1 << 20);
    for (unsigned long i = 0; i < count; i++) {
      auto request = ping.echoRequest();
      request.setData(data);
      auto results = request.send().wait(waitScope);
      sum += results.getData().size() + results.getData()[i % data.size()];
    }
    return sum;
  }

  // A streaming call ends when the flow control of the connection lets the next one begin.
  uint64_t stream(unsigned long count) {
    auto data = filled(1 << 16);
    for (unsigned long i = 0; i < count; i++) {
      auto request = ping.writeRequest();
      request.setData(data);
      request.send().wait(waitScope);
    }
    return ping.writtenRequest().send().wait(waitScope).getBytes();
  }

private:
  static kj::Array<kj::byte> filled(size_t size) {
    auto bytes = kj::heapArray<kj::byte>(size);
    memset(bytes.begin(), 7, size);
    return bytes;
  }

  static capnp::RemotePromise<bench::Ping::PingResults> call(
      bench::Ping::Client& ping, uint64_t n) {
    auto request = ping.pingRequest();
    request.setN(n);
    return request.send();
  }

  bench::Ping::Client ping;
  kj::WaitScope& waitScope;
};
