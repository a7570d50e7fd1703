#pragma once

#include <kj/string.h>

#include <cstdint>

// Serves until SIGTERM or SIGINT, for `seconds` at most. Prints "listening PORT" or
// "listening unix:PATH" once it accepts connections. Returns the process's exit status.
int serve(kj::StringPtr address, uint32_t seconds);
