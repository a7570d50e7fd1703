// The generator of carsales.capnp.

#pragma once

#include <cstdint>

class Numbers {
 public:
  uint32_t below(uint32_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(((state >> 32) * limit) >> 32);
  }
  bool flip() { return below(2) == 1; }

 private:
  uint64_t state = 88172645463325252;
};
