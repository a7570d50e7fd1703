// Serves Peer. Each connection has a Peer of its own, so that `disconnect` knows which connection
// to close and what is held ends with its connection.

#include "server.h"

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/async-unix.h>
#include <kj/debug.h>
#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "network.h"
#include "objects.h"
#include "values.h"

using namespace interop;

namespace {

class PeerImpl final : public Peer::Server {
public:
  PeerImpl(Census& census, kj::Own<kj::PromiseFulfiller<void>> hangUp)
      : census(census), hangUp(kj::mv(hangUp)) {}

  kj::Promise<void> echo(EchoContext context) override {
    context.getResults().setValues(context.getParams().getValues());
    return kj::READY_NOW;
  }

  kj::Promise<void> mirror(MirrorContext context) override {
    ::mirror(context.getParams().getValues(), context.getResults().initValues());
    return kj::READY_NOW;
  }

  kj::Promise<void> echoData(EchoDataContext context) override {
    context.getResults().setData(context.getParams().getData());
    return kj::READY_NOW;
  }

  kj::Promise<void> newCounter(NewCounterContext context) override {
    context.getResults().setCounter(::newCounter(census, context.getParams().getStart()));
    return kj::READY_NOW;
  }

  kj::Promise<void> newCounters(NewCountersContext context) override {
    uint32_t count = context.getParams().getCount();
    if (count > 1000) return failure(FailureKind::FAILED, "at most 1000 counters");
    auto counters = context.getResults().initCounters(count);
    for (uint32_t i = 0; i < count; i++) counters.set(i, ::newCounter(census, i));
    return kj::READY_NOW;
  }

  kj::Promise<void> newNamedCounter(NewNamedCounterContext context) override {
    auto params = context.getParams();
    context.getResults().setCounter(
        ::newNamedCounter(census, params.getName(), params.getStart()));
    return kj::READY_NOW;
  }

  kj::Promise<void> newNode(NewNodeContext context) override {
    auto params = context.getParams();
    return ::newNode(census, "", 0, params.getName(), params.getAfterMilliseconds())
        .then([context](Node::Client node) mutable { context.getResults().setNode(kj::mv(node)); });
  }

  kj::Promise<void> newSequence(NewSequenceContext context) override {
    context.getResults().setSequence(::newSequence(census));
    return kj::READY_NOW;
  }

  kj::Promise<void> newSink(NewSinkContext context) override {
    context.getResults().setSink(::newSink(census));
    return kj::READY_NOW;
  }

  kj::Promise<void> newNotes(NewNotesContext context) override {
    auto texts = context.getParams().getTexts();
    auto notes = context.getResults().initNotes(texts.size());
    for (uint32_t i = 0; i < texts.size(); i++) notes.set(i, ::newNote(census, texts[i]));
    return kj::READY_NOW;
  }

  kj::Promise<void> lateNote(LateNoteContext context) override {
    auto params = context.getParams();
    Note::Client note =
        census.timer.afterDelay(params.getAfterMilliseconds() * kj::MILLISECONDS)
            .then([this, text = kj::str(params.getText())]() { return ::newNote(census, text); });
    context.getResults().setNote(kj::mv(note));
    return kj::READY_NOW;
  }

  kj::Promise<void> readNotes(ReadNotesContext context) override {
    auto notes = context.getParams().getNotes();
    auto reads = kj::heapArrayBuilder<kj::Promise<kj::String>>(notes.size());
    for (auto note : notes) reads.add(::readNote(note));
    return kj::joinPromises(reads.finish()).then([context](kj::Array<kj::String> found) mutable {
      auto texts = context.getResults().initTexts(found.size());
      for (uint32_t i = 0; i < found.size(); i++) texts.set(i, found[i]);
    });
  }

  kj::Promise<void> find(FindContext context) override {
    kj::StringPtr name = context.getParams().getName();
    auto results = context.getResults();
    if (name == "counter") {
      results.setCapability(::newCounter(census, 0));
    } else if (name == "namedCounter") {
      results.setCapability(::newNamedCounter(census, name, 0));
    } else if (name == "sequence") {
      results.setCapability(::newSequence(census));
    }
    return kj::READY_NOW;
  }

  kj::Promise<void> liveObjects(LiveObjectsContext context) override {
    context.getResults().setCount(census.liveObjects);
    return kj::READY_NOW;
  }

  kj::Promise<void> callBack(CallBackContext context) override {
    auto params = context.getParams();
    auto callback = params.getCallback();
    return addUp(kj::mv(callback), 0, params.getTimes(), 0).then([context](int64_t sum) mutable {
      context.getResults().setSum(sum);
    });
  }

  kj::Promise<void> forward(ForwardContext context) override {
    auto params = context.getParams();
    auto request = params.getCallback().callRequest();
    request.setN(params.getN());
    return context.tailCall(kj::mv(request));
  }

  kj::Promise<void> hold(HoldContext context) override {
    held = context.getParams().getCallback();
    return kj::READY_NOW;
  }

  kj::Promise<void> callHeld(CallHeldContext context) override {
    auto request = holding().callRequest();
    request.setN(context.getParams().getN());
    return request.send().then([context](auto&& response) mutable {
      context.getResults().setN(response.getN());
    });
  }

  kj::Promise<void> returnHeld(ReturnHeldContext context) override {
    context.getResults().setCallback(holding());
    return kj::READY_NOW;
  }

  kj::Promise<void> dropHeld(DropHeldContext context) override {
    held = nullptr;
    return kj::READY_NOW;
  }

  kj::Promise<void> echoSequence(EchoSequenceContext context) override {
    context.getResults().setSequence(context.getParams().getSequence());
    return kj::READY_NOW;
  }

  kj::Promise<void> sumCounters(SumCountersContext context) override {
    auto counters = context.getParams().getCounters();
    auto calls = kj::heapArrayBuilder<kj::Promise<int64_t>>(counters.size());
    for (auto counter : counters) {
      calls.add(counter.valueRequest().send().then(
          [](auto&& response) -> int64_t { return response.getValue(); }));
    }
    return kj::joinPromises(calls.finish()).then([context](kj::Array<int64_t> values) mutable {
      int64_t sum = 0;
      for (auto value : values) sum += value;
      context.getResults().setSum(sum);
    });
  }

  kj::Promise<void> fail(FailContext context) override {
    auto params = context.getParams();
    return failure(params.getKind(), params.getReason());
  }

  kj::Promise<void> never(NeverContext context) override {
    context.allowCancellation();
    auto& census = this->census;
    return kj::Promise<void>(kj::NEVER_DONE)
        .attach(kj::defer([&census]() { ++census.cancelledCalls; }));
  }

  kj::Promise<void> cancelledCalls(CancelledCallsContext context) override {
    context.getResults().setCount(census.cancelledCalls);
    return kj::READY_NOW;
  }

  kj::Promise<void> newPromise(NewPromiseContext context) override {
    auto promise = ::newPromise(census);
    auto results = context.getResults();
    results.setCounter(kj::mv(promise.counter));
    results.setResolver(kj::mv(promise.resolver));
    return kj::READY_NOW;
  }

  kj::Promise<void> disconnect(DisconnectContext context) override {
    hangUp->fulfill();
    return kj::NEVER_DONE;
  }

private:
  Census& census;
  kj::Own<kj::PromiseFulfiller<void>> hangUp;
  kj::Maybe<Callback::Client> held;

  Callback::Client holding() {
    KJ_IF_MAYBE (callback, held) return *callback;
    kj::throwFatalException(failure(FailureKind::FAILED, "nothing is held"));
  }

  static kj::Promise<int64_t> addUp(
      Callback::Client callback, uint32_t n, uint32_t times, int64_t sum) {
    if (n == times) return sum;
    auto request = callback.callRequest();
    request.setN(n);
    return request.send().then(
        [callback = kj::mv(callback), n, times, sum](auto&& response) mutable {
          return addUp(kj::mv(callback), n + 1, times, sum + response.getN());
        });
  }
};

// One accepted connection, from the first byte to the end of its transport.
class Link {
public:
  Link(Census& census, kj::Own<kj::AsyncIoStream> accepted, bool isUnix)
      : Link(census, kj::mv(accepted), isUnix, kj::newPromiseAndFulfiller<void>()) {}

  ~Link() noexcept(false) {
    // Closed first, so that no Abort goes out: the client sees nothing but the end of the stream.
    // What it had sent is left unread, which on TCP may reset the connection; both are a cut.
    // If the peer was faster, there is nothing to close.
    kj::runCatchingExceptions([this]() { stream->shutdownWrite(); });
  }

  kj::Promise<void> end() {
    return network->onDisconnect().exclusiveJoin(kj::mv(hungUp));
  }

private:
  kj::Own<kj::AsyncIoStream> stream;
  kj::Promise<void> hungUp;
  kj::Own<capnp::TwoPartyVatNetwork> network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;

  Link(Census& census, kj::Own<kj::AsyncIoStream> accepted, bool isUnix,
      kj::PromiseFulfillerPair<void> paf)
      : stream(kj::mv(accepted)),
        hungUp(kj::mv(paf.promise)),
        network(newNetwork(*stream, isUnix, capnp::rpc::twoparty::Side::SERVER)),
        rpc(capnp::makeRpcServer(*network, kj::heap<PeerImpl>(census, kj::mv(paf.fulfiller)))) {}
};

class Acceptor final : kj::TaskSet::ErrorHandler {
public:
  Acceptor(Census& census, kj::ConnectionReceiver& listener, bool isUnix)
      : census(census), listener(listener), isUnix(isUnix), tasks(*this) {}

  kj::Promise<void> run() {
    return listener.accept().then([this](kj::Own<kj::AsyncIoStream> stream) {
      auto link = kj::heap<Link>(census, kj::mv(stream), isUnix);
      auto end = link->end();
      tasks.add(end.attach(kj::mv(link)));
      return run();
    });
  }

private:
  Census& census;
  kj::ConnectionReceiver& listener;
  bool isUnix;
  kj::TaskSet tasks;

  void taskFailed(kj::Exception&& exception) override {
    std::cerr << "connection: " << exception.getDescription().cStr() << std::endl;
  }
};

}  // namespace

int serve(kj::StringPtr address, uint32_t seconds) {
  kj::UnixEventPort::captureSignal(SIGTERM);
  kj::UnixEventPort::captureSignal(SIGINT);
  auto io = kj::setupAsyncIo();
  auto& timer = io.provider->getTimer();
  bool isUnix = address.startsWith("unix:");
  if (isUnix) unlink(address.cStr() + 5);

  auto parsed = io.provider->getNetwork().parseAddress(address).wait(io.waitScope);
  auto listener = parsed->listen();
  if (isUnix) {
    std::cout << "listening " << address.cStr() << std::endl;
  } else {
    std::cout << "listening " << listener->getPort() << std::endl;
  }

  Census census{timer};
  int status = 0;
  {
    Acceptor acceptor(census, *listener, isUnix);
    auto stop = io.unixEventPort.onSignal(SIGTERM).exclusiveJoin(
        io.unixEventPort.onSignal(SIGINT)).ignoreResult();
    auto timeUp = timer.afterDelay(seconds * kj::SECONDS).then([&status, seconds]() {
      std::cerr << "peer: stopped after " << seconds << " s" << std::endl;
      status = 2;
    });
    acceptor.run().exclusiveJoin(kj::mv(stop)).exclusiveJoin(kj::mv(timeUp)).wait(io.waitScope);
  }
  if (isUnix) unlink(address.cStr() + 5);
  if (census.liveObjects != 0) {
    std::cerr << "peer: " << census.liveObjects << " objects outlived their connections\n";
    status = 3;
  }
  return status;
}
