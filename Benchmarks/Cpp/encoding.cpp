// encoding CASE ITERATIONS
//
//   WORKLOAD-build       make a message
//   WORKLOAD-read        read one of 16 messages, as bytes in memory
//   WORKLOAD-roundtrip   make a message, copy it to bytes, read it; catrank and eval answer as well
//   WORKLOAD-pack        pack a message into a buffer
//   WORKLOAD-unpack      unpack it into a message
//   small                make a message of one wheel, copy it to bytes, read it
//
// A WORKLOAD is cars, catrank, eval or texts; the schemas say what each does and what its checksum is.
// Messages are built in scratch space that is used over and over, the library's fastest way. That of
// the case small is made as the library does it by default.

#include <capnp/message.h>
#include <capnp/serialize-packed.h>
#include <capnp/serialize.h>
#include <kj/io.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cars.h"
#include "catrank.h"
#include "eval.h"
#include "report.h"
#include "texts.h"

using namespace bench;

// Zero at first, and again after each message that was built in it.
static capnp::word scratchSpace[1 << 14], answerSpace[1 << 14];
static const kj::ArrayPtr<capnp::word> scratch = scratchSpace, answerScratch = answerSpace;

template <typename Workload>
static void build(const char* name, unsigned long iterations) {
  Workload workload;
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::MallocMessageBuilder message(scratch);
    workload.fill(message);
    sum += message.getSegmentsForOutput()[0].size();
  }
  report(name, iterations, nanosecondsSince(start), sum);
}

template <typename Workload>
static void read(const char* name, unsigned long iterations) {
  Workload workload;
  std::vector<kj::Array<capnp::word>> messages;
  for (int i = 0; i < 16; i++) {
    capnp::MallocMessageBuilder message(scratch);
    workload.fill(message);
    messages.push_back(capnp::messageToFlatArray(message));
  }
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::FlatArrayMessageReader message(messages[i % 16]);
    sum += workload.value(message);
  }
  report(name, iterations, nanosecondsSince(start), sum);
}

template <typename Workload>
static void roundtrip(const char* name, unsigned long iterations) {
  Workload workload;
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::MallocMessageBuilder builder(scratch);
    workload.fill(builder);
    auto bytes = capnp::messageToFlatArray(builder);
    capnp::FlatArrayMessageReader message(bytes);
    sum += workload.value(message);
  }
  report(name, iterations, nanosecondsSince(start), sum);
}

template <typename Workload>
static void answered(const char* name, unsigned long iterations) {
  Workload workload;
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::MallocMessageBuilder builder(scratch);
    workload.fill(builder);
    auto bytes = capnp::messageToFlatArray(builder);
    capnp::FlatArrayMessageReader request(bytes);
    capnp::MallocMessageBuilder answer(answerScratch);
    workload.answer(request, answer);
    auto answerBytes = capnp::messageToFlatArray(answer);
    capnp::FlatArrayMessageReader response(answerBytes);
    sum += workload.check(response);
  }
  report(name, iterations, nanosecondsSince(start), sum);
}

static void small(const char* name, unsigned long iterations) {
  Small workload;
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    capnp::MallocMessageBuilder builder;
    workload.fill(builder);
    auto bytes = capnp::messageToFlatArray(builder);
    capnp::FlatArrayMessageReader message(bytes);
    sum += workload.value(message);
  }
  report(name, iterations, nanosecondsSince(start), sum);
}

static kj::Array<kj::byte> packed(
    capnp::MessageBuilder& message, kj::ArrayPtr<kj::byte> buffer) {
  kj::ArrayOutputStream output(buffer);
  capnp::writePackedMessage(output, message);
  return kj::heapArray<kj::byte>(output.getArray());
}

template <typename Workload>
static void pack(const char* name, unsigned long iterations) {
  Workload workload;
  capnp::MallocMessageBuilder message(scratch);
  workload.fill(message);
  auto buffer = kj::heapArray<kj::byte>(1 << 20);
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    kj::ArrayOutputStream output(buffer);
    capnp::writePackedMessage(output, message);
    sum += output.getArray().size();
  }
  report(name, iterations, nanosecondsSince(start), sum);
}

template <typename Workload>
static void unpack(const char* name, unsigned long iterations) {
  Workload workload;
  capnp::MallocMessageBuilder builder(scratch);
  workload.fill(builder);
  auto buffer = kj::heapArray<kj::byte>(1 << 20);
  auto bytes = packed(builder, buffer);
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < iterations; i++) {
    kj::ArrayInputStream input(bytes);
    capnp::PackedMessageReader message(input);
    sum += message.getSegment(0).size();
    if (i + 1 == iterations) sum += workload.value(message);
  }
  report(name, iterations, nanosecondsSince(start), sum);
}

int main(int argc, char** argv) {
  const struct {
    const char* name;
    void (*run)(const char*, unsigned long);
  } cases[] = {{"cars-build", build<Cars>}, {"cars-read", read<Cars>},
      {"cars-roundtrip", roundtrip<Cars>}, {"cars-pack", pack<Cars>}, {"cars-unpack", unpack<Cars>},
      {"catrank-build", build<CatRank>}, {"catrank-read", read<CatRank>},
      {"catrank-roundtrip", answered<CatRank>}, {"catrank-pack", pack<CatRank>},
      {"catrank-unpack", unpack<CatRank>}, {"eval-build", build<Eval>}, {"eval-read", read<Eval>},
      {"eval-roundtrip", answered<Eval>}, {"texts-build", build<TextStrings>},
      {"texts-read", read<TextStrings>}, {"small", small}};
  unsigned long iterations = argc == 3 ? strtoul(argv[2], nullptr, 10) : 0;
  if (iterations > 0) {
    for (auto& one : cases) {
      if (strcmp(argv[1], one.name) == 0) {
        one.run(one.name, iterations);
        return 0;
      }
    }
  }
  fprintf(stderr, "usage: encoding CASE ITERATIONS, where CASE is one of");
  for (auto& one : cases) fprintf(stderr, " %s", one.name);
  fprintf(stderr, "\n");
  return 64;
}
