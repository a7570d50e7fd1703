// The server objects that clients hold: each counts itself in its server's live objects. The client
// uses Counter and Sequence too, for capabilities of its own.

#pragma once

#include <kj/timer.h>

#include "interop.capnp.h"

// What a server process counts and shares.
struct Census {
  kj::Timer& timer;
  uint32_t liveObjects = 0;
  uint32_t cancelledCalls = 0;
};

class Counted {
public:
  explicit Counted(Census& census) : census(census) { ++census.liveObjects; }
  ~Counted() noexcept(false) { --census.liveObjects; }
  KJ_DISALLOW_COPY(Counted);

protected:
  Census& census;
};

interop::Counter::Client newCounter(Census& census, int64_t start);
interop::NamedCounter::Client newNamedCounter(Census& census, kj::StringPtr name, int64_t start);
interop::Sequence::Client newSequence(Census& census);
interop::Sink::Client newSink(Census& census);
interop::Note::Client newNote(Census& census, kj::StringPtr text);

// What the note's descriptor gives to read; empty if it has none. The note is to be kept meanwhile.
kj::Promise<kj::String> readNote(interop::Note::Client note);

// Waits `delay` milliseconds, then resolves to a node, or fails if the name is empty. A root has an
// empty `parent`.
kj::Promise<interop::Node::Client> newNode(
    Census& census, kj::StringPtr parent, uint32_t depth, kj::StringPtr name, uint32_t delay);

struct CounterPromise {
  interop::Counter::Client counter;
  interop::Resolver::Client resolver;
};
CounterPromise newPromise(Census& census);

kj::Exception failure(interop::FailureKind kind, kj::StringPtr reason);
