#include "objects.h"

#include <kj/debug.h>

using namespace interop;

kj::Exception failure(FailureKind kind, kj::StringPtr reason) {
  return kj::Exception(
      static_cast<kj::Exception::Type>(kind), __FILE__, __LINE__, kj::heapString(reason));
}

namespace {

class CounterImpl final : public Counter::Server, Counted {
public:
  CounterImpl(Census& census, int64_t total) : Counted(census), total(total) {}

  kj::Promise<void> value(ValueContext context) override {
    context.getResults().setValue(total);
    return kj::READY_NOW;
  }

  kj::Promise<void> add(AddContext context) override {
    total += context.getParams().getN();
    context.getResults().setValue(total);
    return kj::READY_NOW;
  }

private:
  int64_t total;
};

class NamedCounterImpl final : public NamedCounter::Server, Counted {
public:
  NamedCounterImpl(Census& census, kj::StringPtr name, int64_t total)
      : Counted(census), label(kj::str(name)), total(total) {}

  kj::Promise<void> value(ValueContext context) override {
    context.getResults().setValue(total);
    return kj::READY_NOW;
  }

  kj::Promise<void> add(AddContext context) override {
    total += context.getParams().getN();
    context.getResults().setValue(total);
    return kj::READY_NOW;
  }

  kj::Promise<void> name(NameContext context) override {
    context.getResults().setName(label);
    return kj::READY_NOW;
  }

  kj::Promise<void> rename(RenameContext context) override {
    context.getResults().setOld(label);
    label = kj::str(context.getParams().getName());
    return kj::READY_NOW;
  }

private:
  kj::String label;
  int64_t total;
};

class SequenceImpl final : public Sequence::Server, Counted {
public:
  explicit SequenceImpl(Census& census) : Counted(census) {}

  kj::Promise<void> next(NextContext context) override {
    uint32_t expected = context.getParams().getExpected();
    if (expected != count) {
      return failure(FailureKind::FAILED,
          kj::str("out of order: expected ", expected, ", is ", count));
    }
    context.getResults().setN(count++);
    return kj::READY_NOW;
  }

private:
  uint32_t count = 0;
};

class NodeImpl final : public Node::Server, Counted {
public:
  NodeImpl(Census& census, kj::String path, uint32_t depth)
      : Counted(census), fullPath(kj::mv(path)), depth(depth) {}

  kj::Promise<void> child(ChildContext context) override {
    auto params = context.getParams();
    return newNode(census, fullPath, depth + 1, params.getName(), params.getAfterMilliseconds())
        .then([context](Node::Client node) mutable { context.getResults().setNode(kj::mv(node)); });
  }

  kj::Promise<void> path(PathContext context) override {
    context.getResults().setPath(fullPath);
    return kj::READY_NOW;
  }

  kj::Promise<void> place(PlaceContext context) override {
    auto place = context.getResults().initPlace();
    place.setLabel(kj::str("place of ", fullPath));
    auto inner = place.initInner();
    inner.setDepth(depth);
    inner.setNode(thisCap());
    return kj::READY_NOW;
  }

private:
  kj::String fullPath;
  uint32_t depth;
};

class ResolverImpl final : public Resolver::Server, Counted {
public:
  ResolverImpl(Census& census, kj::Own<kj::PromiseFulfiller<Counter::Client>> fulfiller)
      : Counted(census), fulfiller(kj::mv(fulfiller)) {}

  kj::Promise<void> fulfil(FulfilContext context) override {
    settle();
    fulfiller->fulfill(context.getParams().getCounter());
    return kj::READY_NOW;
  }

  kj::Promise<void> reject(RejectContext context) override {
    settle();
    auto params = context.getParams();
    fulfiller->reject(failure(params.getKind(), params.getReason()));
    return kj::READY_NOW;
  }

private:
  kj::Own<kj::PromiseFulfiller<Counter::Client>> fulfiller;
  bool settled = false;

  void settle() {
    if (settled) kj::throwFatalException(failure(FailureKind::FAILED, "already settled"));
    settled = true;
  }
};

class SinkImpl final : public Sink::Server, Counted {
public:
  using Counted::Counted;

  kj::Promise<void> write(WriteContext context) override {
    size_t size = context.getParams().getData().size();
    if (size == 0) return failure(FailureKind::FAILED, "nothing to write");
    atOnce = kj::max(atOnce, ++running);
    return census.timer.afterDelay(1 * kj::MILLISECONDS).then([this, size]() {
      --running;
      bytes += size;
    });
  }

  kj::Promise<void> done(DoneContext context) override {
    auto results = context.getResults();
    results.setBytes(bytes);
    results.setAtOnce(atOnce);
    return kj::READY_NOW;
  }

private:
  uint64_t bytes = 0;
  uint32_t running = 0;
  uint32_t atOnce = 0;
};

}  // namespace

Counter::Client newCounter(Census& census, int64_t start) {
  return kj::heap<CounterImpl>(census, start);
}

NamedCounter::Client newNamedCounter(Census& census, kj::StringPtr name, int64_t start) {
  return kj::heap<NamedCounterImpl>(census, name, start);
}

Sequence::Client newSequence(Census& census) { return kj::heap<SequenceImpl>(census); }

Sink::Client newSink(Census& census) { return kj::heap<SinkImpl>(census); }

kj::Promise<Node::Client> newNode(
    Census& census, kj::StringPtr parent, uint32_t depth, kj::StringPtr name, uint32_t delay) {
  if (name.size() == 0) return failure(FailureKind::FAILED, "a node needs a name");
  auto path = parent.size() == 0 ? kj::str(name) : kj::str(parent, "/", name);
  return census.timer.afterDelay(delay * kj::MILLISECONDS)
      .then([&census, path = kj::mv(path), depth]() mutable -> Node::Client {
        return kj::heap<NodeImpl>(census, kj::mv(path), depth);
      });
}

CounterPromise newPromise(Census& census) {
  auto paf = kj::newPromiseAndFulfiller<Counter::Client>();
  return {kj::mv(paf.promise), kj::heap<ResolverImpl>(census, kj::mv(paf.fulfiller))};
}
