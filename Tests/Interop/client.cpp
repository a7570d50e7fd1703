#include "client.h"

#include <iostream>

static kj::Maybe<kj::String> outcome(
    kj::AsyncIoContext& io, kj::StringPtr address, const Scenario& scenario) {
  try {
    Client client(io, address);
    scenario.run(client);
    return nullptr;
  } catch (Failed& failed) {
    return kj::mv(failed.reason);
  } catch (kj::Exception& exception) {
    return kj::str(static_cast<interop::FailureKind>(exception.getType()), " ",
        exception.getDescription());
  }
}

int drive(kj::StringPtr address, kj::ArrayPtr<const kj::String> names) {
  auto io = kj::setupAsyncIo();
  uint32_t passed = 0, failed = 0;
  for (auto& scenario : scenarios) {
    bool wanted = names.size() == 0;
    for (auto& name : names) wanted = wanted || name == scenario.name;
    if (!wanted) continue;
    KJ_IF_MAYBE (reason, outcome(io, address, scenario)) {
      ++failed;
      for (char& c : *reason) if (c == '\n') c = ' ';
      std::cout << "FAIL " << scenario.name << " " << reason->cStr() << std::endl;
    } else {
      ++passed;
      std::cout << "PASS " << scenario.name << std::endl;
    }
  }
  std::cout << "passed " << passed << " failed " << failed << std::endl;
  return failed == 0 && passed > 0 ? 0 : 1;
}
