// The scenarios' capabilities of the client's own, and the calls that many of them make.

#pragma once

#include <kj/vector.h>

#include "client.h"

class CallbackImpl final : public interop::Callback::Server, Counted {
public:
  using Counted::Counted;

  kj::Promise<void> call(CallContext context) override {
    auto n = context.getParams().getN();
    if (n == 13) return failure(interop::FailureKind::OVERLOADED, "thirteen is too much");
    context.getResults().setN(2 * n + 1);
    return kj::READY_NOW;
  }
};

// Notes what it is asked to add, so that the order of arrival shows.
class NotingCounter final : public interop::Counter::Server {
public:
  explicit NotingCounter(kj::Vector<int64_t>& notes) : notes(notes) {}

  kj::Promise<void> value(ValueContext context) override {
    context.getResults().setValue(notes.size());
    return kj::READY_NOW;
  }

  kj::Promise<void> add(AddContext context) override {
    notes.add(context.getParams().getN());
    context.getResults().setValue(notes.size());
    return kj::READY_NOW;
  }

private:
  kj::Vector<int64_t>& notes;
};

inline interop::Callback::Client newCallback(Client& client) {
  return kj::heap<CallbackImpl>(client.own);
}

inline auto counterFrom(Client& client, int64_t start) {
  auto request = client.peer.newCounterRequest();
  request.setStart(start);
  return request.send();
}

inline kj::Promise<int64_t> add(interop::Counter::Client counter, int64_t n) {
  auto request = counter.addRequest();
  request.setN(n);
  return request.send().then([](auto&& response) -> int64_t { return response.getValue(); });
}

inline kj::Promise<int64_t> valueOf(interop::Counter::Client counter) {
  return counter.valueRequest().send().then([](auto&& r) -> int64_t { return r.getValue(); });
}

inline kj::Promise<uint32_t> next(interop::Sequence::Client sequence, uint32_t expected) {
  auto request = sequence.nextRequest();
  request.setExpected(expected);
  return request.send().then([](auto&& response) -> uint32_t { return response.getN(); });
}

inline auto rootNode(Client& client, kj::StringPtr name, uint32_t milliseconds) {
  auto request = client.peer.newNodeRequest();
  request.setName(name);
  request.setAfterMilliseconds(milliseconds);
  return request.send();
}

inline auto childOf(interop::Node::Client node, kj::StringPtr name, uint32_t milliseconds = 0) {
  auto request = node.childRequest();
  request.setName(name);
  request.setAfterMilliseconds(milliseconds);
  return request.send();
}

inline auto fulfil(interop::Resolver::Client resolver, interop::Counter::Client counter) {
  auto request = resolver.fulfilRequest();
  request.setCounter(kj::mv(counter));
  return request.send();
}

