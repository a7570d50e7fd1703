// What every benchmark program prints: one line of JSON.

#pragma once

#include <capnp/common.h>

#include <chrono>
#include <cstdio>

inline double nanosecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

#ifdef __clang__
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "g++ " __VERSION__;
#endif

inline void report(const char* name, unsigned long iterations, double nanoseconds,
    unsigned long long checksum) {
  printf("{\"case\":\"%s\",\"implementation\":\"c++\",\"version\":\"%d.%d.%d\",\"compiler\":\"%s\","
         "\"iterations\":%lu,\"ns\":%.1f,\"checksum\":\"%llu\"}\n",
      name, CAPNP_VERSION_MAJOR, CAPNP_VERSION_MINOR, CAPNP_VERSION_MICRO,
      compiler, iterations, nanoseconds / static_cast<double>(iterations), checksum);
  fflush(stdout);
}
