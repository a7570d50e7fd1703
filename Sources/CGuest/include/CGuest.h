// What PID 1 needs from the kernel and Swift cannot call itself: variadic system calls,
// ioctl structures with unions, and headers outside the Glibc module.
//
// Every function returns 0, or a negated errno value; none keeps a pointer past its return.
#pragma once

#include <stdint.h>

// Loads the kernel module behind `descriptor` with no parameters.
int cguest_load_module(int descriptor);

// Gives `interface` an address and mask (both in network byte order; an address of 0 leaves them
// alone) and brings it up.
int cguest_interface_up(const char *interface, uint32_t address, uint32_t mask);

// Adds a default route through `gateway` (network byte order).
int cguest_default_route(uint32_t gateway);

// Powers the machine off; returns only on failure.
int cguest_power_off(void);
