// What both sides must agree on, from the client's point of view. The comment of each method in
// interop.capnp says what the server does.

#include "calls.h"
#include "descriptors.h"
#include "values.h"

using namespace interop;

namespace {

// --- Values ------------------------------------------------------------------------------------

void bootstrap(Client& client) {
  client.wait(client.peer.whenResolved());
  client.liveObjects();
}

void echoValues(Client& client) {
  auto request = client.peer.echoRequest();
  fillSample(request.getValues());
  request.getValues().setText("grüße, 世界");
  request.getValues().setColour(static_cast<Colour>(77));  // of a newer schema
  auto expected = kj::str(request.getValues().asReader());
  auto response = client.wait(request.send());
  EXPECT(kj::str(response.getValues()) == expected, ": ", response.getValues());
}

void mirrorValues(Client& client) {
  auto request = client.peer.mirrorRequest();
  fillSample(request.getValues());
  capnp::MallocMessageBuilder message;
  auto expected = message.initRoot<Values>();
  ::mirror(request.getValues().asReader(), expected);
  auto response = client.wait(request.send());
  KJ_IF_MAYBE (words, difference(expected, response.getValues())) throw Failed{kj::mv(*words)};
}

void mirrorDefaults(Client& client) {
  auto response = client.wait(client.peer.mirrorRequest().send());
  auto values = response.getValues();
  EXPECT(values.getLimit() == ~1000u, ": ", values.getLimit());
  EXPECT(values.getColour() == Colour::BLUE);
  EXPECT(!values.hasPoint());
  EXPECT(values.getText().size() == 0);
  EXPECT(values.getChoice().isNothing());
}

void echoMebibyte(Client& client) {
  auto request = client.peer.echoDataRequest();
  auto data = request.initData(1 << 20);
  for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<kj::byte>(i * 31 + (i >> 8));
  auto expected = kj::heapArray<kj::byte>(data.asConst());
  auto response = client.wait(request.send());
  EXPECT(response.getData() == expected, ": ", response.getData().size(), " bytes");
}

// --- Capabilities of the server ----------------------------------------------------------------

void returnedCapability(Client& client) {
  auto counter = client.wait(counterFrom(client, 40)).getCounter();
  EXPECT(client.wait(add(counter, 2)) == 42);
  EXPECT(client.wait(add(counter, -50)) == -8);
  EXPECT(client.wait(valueOf(counter)) == -8);
}

void listOfCapabilities(Client& client) {
  auto request = client.peer.newCountersRequest();
  request.setCount(5);
  auto response = client.wait(request.send());
  EXPECT(response.getCounters().size() == 5);
  for (uint32_t i = 0; i < 5; i++) EXPECT(client.wait(valueOf(response.getCounters()[i])) == i);

  auto sum = client.peer.sumCountersRequest();
  auto counters = sum.initCounters(6);
  for (uint32_t i = 0; i < 5; i++) counters.set(i, response.getCounters()[i]);
  counters.set(5, newCounter(client.own, 100));  // the server calls this one here
  EXPECT(client.wait(sum.send()).getSum() == 110);
}

void findByName(Client& client) {
  auto find = [&](kj::StringPtr name) {
    auto request = client.peer.findRequest();
    request.setName(name);
    return request.send();
  };
  auto counter = client.wait(find("counter")).getCapability().castAs<Counter>();
  EXPECT(client.wait(add(counter, 3)) == 3);
  auto pipelined = find("namedCounter");
  auto named = pipelined.getCapability().castAs<Named>();
  EXPECT(client.wait(named.nameRequest().send()).getName() == "namedCounter");
  auto sequence = find("sequence").getCapability().castAs<Sequence>();
  EXPECT(client.wait(next(sequence, 0)) == 0);
  EXPECT(!client.wait(find("nonsense")).hasCapability());
}

void inheritance(Client& client) {
  auto request = client.peer.newNamedCounterRequest();
  request.setName("before");
  request.setStart(7);
  auto counter = client.wait(request.send()).getCounter();
  EXPECT(client.wait(add(counter, 1)) == 8);
  EXPECT(client.wait(counter.nameRequest().send()).getName() == "before");
  auto rename = counter.renameRequest();
  rename.setName("after");
  EXPECT(client.wait(rename.send()).getOld() == "before");
  EXPECT(client.wait(counter.nameRequest().send()).getName() == "after");
  auto sum = client.peer.sumCountersRequest();
  sum.initCounters(1).set(0, counter);
  EXPECT(client.wait(sum.send()).getSum() == 8);
}

// --- Pipelines ---------------------------------------------------------------------------------

void pipeline(Client& client) {
  auto counter = counterFrom(client, 1);
  auto sum = add(counter.getCounter(), 2);
  EXPECT(client.wait(kj::mv(sum)) == 3);
}

void pipelineOnPendingAnswers(Client& client) {
  auto root = rootNode(client, "a", 50);
  auto b = childOf(root.getNode(), "b", 30);
  auto c = childOf(b.getNode(), "c", 10);
  auto path = c.getNode().pathRequest().send();
  EXPECT(client.wait(kj::mv(path)).getPath() == "a/b/c");
}

void pipelineThroughStructs(Client& client) {
  auto root = rootNode(client, "a", 30);
  auto place = childOf(root.getNode(), "b", 10).getNode().placeRequest().send();
  auto deep = childOf(place.getPlace().getInner().getNode(), "d");
  EXPECT(client.wait(deep.getNode().pathRequest().send()).getPath() == "a/b/d");
  auto response = client.wait(kj::mv(place));
  EXPECT(response.getPlace().getLabel() == "place of a/b");
  EXPECT(response.getPlace().getInner().getDepth() == 1);
}

void pipelineOnFailure(Client& client) {
  auto root = rootNode(client, "", 0);
  auto child = childOf(root.getNode(), "b");
  auto path = child.getNode().pathRequest().send();
  client.expectFailure(kj::mv(path), FailureKind::FAILED, "a node needs a name");
  client.expectFailure(kj::mv(root), FailureKind::FAILED, "a node needs a name");
}

void pipelineOnNull(Client& client) {
  auto request = client.peer.findRequest();
  request.setName("nonsense");
  auto nothing = request.send();
  auto value = nothing.getCapability().castAs<Counter>().valueRequest().send();
  client.expectFailure(kj::mv(value), FailureKind::FAILED, "");
}

void callsKeepTheirOrder(Client& client) {
  auto sequence = client.peer.newSequenceRequest().send().getSequence();
  kj::Vector<kj::Promise<uint32_t>> calls;
  for (uint32_t i = 0; i < 1000; i++) calls.add(next(sequence, i));
  for (uint32_t i = 0; i < 1000; i++) EXPECT(client.wait(kj::mv(calls[i])) == i);
}

// --- Streams -----------------------------------------------------------------------------------

auto write(Sink::Client sink, size_t size) {
  auto request = sink.writeRequest();
  memset(request.initData(size).begin(), 7, size);
  return request.send();
}

void stream(Client& client) {
  auto sink = client.peer.newSinkRequest().send().getSink();
  for (uint32_t i = 0; i < 50; i++) client.wait(write(sink, 8 << 10));
  auto done = client.wait(sink.doneRequest().send());
  EXPECT(done.getBytes() == 50 * 8 << 10);
  EXPECT(done.getAtOnce() == 1);
}

void streamEndsWithAFailure(Client& client) {
  auto sink = client.peer.newSinkRequest().send().getSink();
  client.wait(write(sink, 1));
  client.wait(write(sink, 0));
  client.expectFailure(sink.doneRequest().send(), FailureKind::FAILED, "nothing to write");
}

// --- Exceptions --------------------------------------------------------------------------------

void exceptionsOfEachKind(Client& client) {
  for (auto kind : {FailureKind::FAILED, FailureKind::OVERLOADED, FailureKind::DISCONNECTED,
           FailureKind::UNIMPLEMENTED}) {
    auto request = client.peer.failRequest();
    request.setKind(kind);
    request.setReason(kj::str("because of ", kind));
    client.expectFailure(request.send(), kind, kj::str("because of ", kind));
  }
  client.liveObjects();  // the connection still works
}

void unknownMethods(Client& client) {
  auto tomorrow = client.peer.castAs<PeerOfTomorrow>();
  client.expectFailure(tomorrow.laterRequest().send(), FailureKind::UNIMPLEMENTED, "");
  auto beyond = client.peer.typelessRequest(capnp::typeId<Peer>(), 999, nullptr);
  client.expectFailure(beyond.send(), FailureKind::UNIMPLEMENTED, "");
  auto counter = counterFrom(client, 0).getCounter();
  auto wrong = counter.castAs<Sequence>().nextRequest();
  client.expectFailure(wrong.send(), FailureKind::UNIMPLEMENTED, "");
  EXPECT(client.wait(add(counter, 1)) == 1);
}

// --- Capabilities of the client ----------------------------------------------------------------

void callBack(Client& client) {
  auto request = client.peer.callBackRequest();
  request.setCallback(newCallback(client));
  request.setTimes(10);
  EXPECT(client.wait(request.send()).getSum() == 100);  // 1 + 3 + ... + 19
  client.eventually("the callback is released", [&]() { return client.own.liveObjects == 0; });
}

void callBackFails(Client& client) {
  auto request = client.peer.callBackRequest();
  request.setCallback(newCallback(client));
  request.setTimes(20);
  client.expectFailure(request.send(), FailureKind::OVERLOADED, "thirteen is too much");
  client.eventually("the callback is released", [&]() { return client.own.liveObjects == 0; });
}

void tailCall(Client& client) {
  auto forward = [&](int64_t n) {
    auto request = client.peer.forwardRequest();
    request.setCallback(newCallback(client));
    request.setN(n);
    return request.send();
  };
  EXPECT(client.wait(forward(20)).getN() == 41);
  client.expectFailure(forward(13), FailureKind::OVERLOADED, "thirteen is too much");
  client.eventually("the callbacks are released", [&]() { return client.own.liveObjects == 0; });
}

void heldCallback(Client& client) {
  auto callHeld = [&](int64_t n) {
    auto request = client.peer.callHeldRequest();
    request.setN(n);
    return request.send();
  };
  client.expectFailure(callHeld(1), FailureKind::FAILED, "nothing is held");
  auto hold = client.peer.holdRequest();
  hold.setCallback(newCallback(client));
  client.wait(hold.send());
  EXPECT(client.own.liveObjects == 1);
  EXPECT(client.wait(callHeld(4)).getN() == 9);
  {
    auto returned = client.wait(client.peer.returnHeldRequest().send()).getCallback();
    auto call = returned.callRequest();
    call.setN(5);
    EXPECT(client.wait(call.send()).getN() == 11);
  }
  EXPECT(client.wait(callHeld(6)).getN() == 13);
  client.wait(client.peer.dropHeldRequest().send());
  client.eventually("the callback is released", [&]() { return client.own.liveObjects == 0; });
  client.expectFailure(callHeld(7), FailureKind::FAILED, "nothing is held");
}

void capabilityComesHome(Client& client) {
  auto request = client.peer.echoSequenceRequest();
  request.setSequence(newSequence(client.own));
  auto echo = request.send();
  auto sequence = echo.getSequence();
  kj::Vector<kj::Promise<uint32_t>> calls;
  // These go to the server and back ...
  for (uint32_t i = 0; i < 3; i++) calls.add(next(sequence, i));
  client.wait(kj::mv(echo));
  // ... and these may not overtake them, although the object is known to be here by now.
  for (uint32_t i = 3; i < 6; i++) calls.add(next(sequence, i));
  for (uint32_t i = 0; i < 6; i++) EXPECT(client.wait(kj::mv(calls[i])) == i);
}

// --- Promises ----------------------------------------------------------------------------------

void promiseBecomesServersObject(Client& client) {
  auto response = client.wait(client.peer.newPromiseRequest().send());
  auto counter = response.getCounter();
  auto first = add(counter, 1), second = add(counter, 2);
  auto target = client.wait(counterFrom(client, 10)).getCounter();
  client.wait(fulfil(response.getResolver(), target));
  EXPECT(client.wait(kj::mv(first)) == 11);
  EXPECT(client.wait(kj::mv(second)) == 13);
  client.wait(counter.whenResolved());
  EXPECT(client.wait(add(counter, 3)) == 16);
  EXPECT(client.wait(valueOf(target)) == 16);
  client.expectFailure(
      fulfil(response.getResolver(), target), FailureKind::FAILED, "already settled");
}

void promiseBecomesClientsObject(Client& client) {
  kj::Vector<int64_t> notes;
  auto response = client.wait(client.peer.newPromiseRequest().send());
  auto counter = response.getCounter();
  kj::Vector<kj::Promise<int64_t>> calls;
  for (int n = 1; n <= 3; n++) calls.add(add(counter, n));
  auto settled = fulfil(response.getResolver(), kj::heap<NotingCounter>(notes));
  for (int n = 4; n <= 6; n++) calls.add(add(counter, n));
  client.wait(kj::mv(settled));
  client.wait(counter.whenResolved());
  for (int n = 7; n <= 9; n++) calls.add(add(counter, n));
  for (int n = 1; n <= 9; n++) EXPECT(client.wait(kj::mv(calls[n - 1])) == n);
  EXPECT(kj::strArray(notes, ", ") == "1, 2, 3, 4, 5, 6, 7, 8, 9", ": ", kj::strArray(notes, ", "));
}

void promiseBecomesPromise(Client& client) {
  kj::Vector<int64_t> notes;
  auto outer = client.wait(client.peer.newPromiseRequest().send());
  auto inner = client.wait(client.peer.newPromiseRequest().send());
  auto counter = outer.getCounter();
  kj::Vector<kj::Promise<int64_t>> calls;
  calls.add(add(counter, 1));
  client.wait(fulfil(outer.getResolver(), inner.getCounter()));
  calls.add(add(counter, 2));
  client.wait(fulfil(inner.getResolver(), kj::heap<NotingCounter>(notes)));
  calls.add(add(counter, 3));
  client.wait(counter.whenResolved());
  calls.add(add(counter, 4));
  for (int n = 1; n <= 4; n++) EXPECT(client.wait(kj::mv(calls[n - 1])) == n);
  EXPECT(kj::strArray(notes, ", ") == "1, 2, 3, 4", ": ", kj::strArray(notes, ", "));
}

void promiseFails(Client& client) {
  auto response = client.wait(client.peer.newPromiseRequest().send());
  auto counter = response.getCounter();
  auto pending = add(counter, 1);
  auto request = response.getResolver().rejectRequest();
  request.setKind(FailureKind::OVERLOADED);
  request.setReason("no luck");
  client.wait(request.send());
  client.expectFailure(kj::mv(pending), FailureKind::OVERLOADED, "no luck");
  client.expectFailure(add(counter, 2), FailureKind::OVERLOADED, "no luck");
  client.liveObjects();
}

void promiseBecomesNull(Client& client) {
  auto response = client.wait(client.peer.newPromiseRequest().send());
  auto counter = response.getCounter();
  auto pending = add(counter, 1);
  client.wait(response.getResolver().fulfilRequest().send());
  client.expectFailure(kj::mv(pending), FailureKind::FAILED, "");
  client.expectFailure(add(counter, 2), FailureKind::FAILED, "");
  client.liveObjects();
}

void promiseIsAbandoned(Client& client) {
  auto response = client.wait(client.peer.newPromiseRequest().send());
  auto counter = response.getCounter();
  auto pending = add(counter, 1);
  { auto gone = kj::mv(response); }  // and the Resolver with it
  client.expectFailure(kj::mv(pending), FailureKind::FAILED, "");
}

// --- Cancellation, release, disconnection ------------------------------------------------------

void cancellation(Client& client) {
  uint32_t before = client.cancelledCalls();
  {
    auto call = client.peer.neverRequest().send();
    EXPECT(client.cancelledCalls() == before);
  }
  client.eventually("the call is cancelled",
      [&]() { return client.cancelledCalls() == before + 1; });
}

void release(Client& client) {
  uint32_t before = client.liveObjects();
  {
    auto request = client.peer.newCountersRequest();
    request.setCount(100);
    auto response = client.wait(request.send());
    EXPECT(client.liveObjects() == before + 100);
    auto kept = response.getCounters()[42];
    { auto gone = kj::mv(response); }
    client.eventually("all but one are released",
        [&]() { return client.liveObjects() == before + 1; });
    EXPECT(client.wait(valueOf(kept)) == 42);
  }
  client.eventually("all are released", [&]() { return client.liveObjects() == before; });
}

void releaseOfUnreadAnswers(Client& client) {
  uint32_t before = client.liveObjects();
  for (int i = 0; i < 20; i++) {
    auto unread = counterFrom(client, i);
    auto pipelined = counterFrom(client, i);
    auto sum = add(pipelined.getCounter(), 1);
    if (i % 2 == 0) client.wait(kj::mv(sum));
  }
  client.eventually("all are released", [&]() { return client.liveObjects() == before; });
}

void serverDisconnects(Client& client) {
  uint32_t cancelled = client.cancelledCalls(), live = client.liveObjects();
  auto other = client.connect();
  auto counter = client.wait(other->peer.newCounterRequest().send()).getCounter();
  auto hold = other->peer.holdRequest();
  hold.setCallback(newCallback(client));
  client.wait(hold.send());
  EXPECT(client.liveObjects() == live + 1);
  auto pending = other->peer.neverRequest().send();
  auto promise = client.wait(other->peer.newPromiseRequest().send());
  auto waiting = valueOf(promise.getCounter());
  auto disconnect = other->peer.disconnectRequest().send();
  client.expectFailure(kj::mv(disconnect), FailureKind::DISCONNECTED, "");
  client.expectFailure(kj::mv(pending), FailureKind::DISCONNECTED, "");
  client.expectFailure(kj::mv(waiting), FailureKind::DISCONNECTED, "");
  client.expectFailure(valueOf(counter), FailureKind::DISCONNECTED, "");
  client.expectFailure(other->peer.liveObjectsRequest().send(), FailureKind::DISCONNECTED, "");
  client.eventually("the callback is released", [&]() { return client.own.liveObjects == 0; });
  client.eventually("the server lets go of the connection", [&]() {
    return client.liveObjects() == live && client.cancelledCalls() == cancelled + 1;
  });
}

void clientDisconnects(Client& client) {
  uint32_t cancelled = client.cancelledCalls(), live = client.liveObjects();
  {
    auto other = client.connect();
    auto request = other->peer.newCountersRequest();
    request.setCount(10);
    auto response = client.wait(request.send());
    auto pending = other->peer.neverRequest().send();
    auto promise = client.wait(other->peer.newPromiseRequest().send());
    EXPECT(client.liveObjects() == live + 11);
    other = nullptr;
    client.expectFailure(kj::mv(pending), FailureKind::DISCONNECTED, "");
  }
  client.eventually("the server lets go of the connection", [&]() {
    return client.liveObjects() == live && client.cancelledCalls() == cancelled + 1;
  });
}

const Scenario all[] = {
    {"bootstrap", bootstrap},
    {"echo-values", echoValues},
    {"mirror-values", mirrorValues},
    {"mirror-defaults", mirrorDefaults},
    {"echo-mebibyte", echoMebibyte},
    {"returned-capability", returnedCapability},
    {"list-of-capabilities", listOfCapabilities},
    {"find-by-name", findByName},
    {"inheritance", inheritance},
    {"pipeline", pipeline},
    {"pipeline-on-pending-answers", pipelineOnPendingAnswers},
    {"pipeline-through-structs", pipelineThroughStructs},
    {"pipeline-on-failure", pipelineOnFailure},
    {"pipeline-on-null", pipelineOnNull},
    {"calls-keep-their-order", callsKeepTheirOrder},
    {"stream", stream},
    {"stream-ends-with-a-failure", streamEndsWithAFailure},
    {"descriptor-of-a-result", descriptorOfAResult},
    {"descriptor-of-a-parameter", descriptorOfAParameter},
    {"descriptor-of-a-promise", descriptorOfAPromise},
    {"descriptors-of-many", descriptorsOfMany},
    {"exceptions-of-each-kind", exceptionsOfEachKind},
    {"unknown-methods", unknownMethods},
    {"call-back", callBack},
    {"call-back-fails", callBackFails},
    {"tail-call", tailCall},
    {"held-callback", heldCallback},
    {"capability-comes-home", capabilityComesHome},
    {"promise-becomes-servers-object", promiseBecomesServersObject},
    {"promise-becomes-clients-object", promiseBecomesClientsObject},
    {"promise-becomes-promise", promiseBecomesPromise},
    {"promise-fails", promiseFails},
    {"promise-becomes-null", promiseBecomesNull},
    {"promise-is-abandoned", promiseIsAbandoned},
    {"cancellation", cancellation},
    {"release", release},
    {"release-of-unread-answers", releaseOfUnreadAnswers},
    {"server-disconnects", serverDisconnects},
    {"client-disconnects", clientDisconnects},
};

}  // namespace

const kj::ArrayPtr<const Scenario> scenarios = all;
