// The object that a ping server offers.

#pragma once

#include "ping.capnp.h"

class PingImpl final : public bench::Ping::Server {
public:
  kj::Promise<void> ping(PingContext context) override {
    context.getResults().setN(context.getParams().getN() + 1);
    return kj::READY_NOW;
  }

  kj::Promise<void> next(NextContext context) override {
    context.getResults().setPing(kj::heap<PingImpl>());
    return kj::READY_NOW;
  }

  kj::Promise<void> echo(EchoContext context) override {
    context.getResults().setData(context.getParams().getData());
    return kj::READY_NOW;
  }

  kj::Promise<void> write(WriteContext context) override {
    bytes += context.getParams().getData().size();
    return kj::READY_NOW;
  }

  kj::Promise<void> written(WrittenContext context) override {
    context.getResults().setBytes(bytes);
    bytes = 0;
    return kj::READY_NOW;
  }

private:
  uint64_t bytes = 0;
};
