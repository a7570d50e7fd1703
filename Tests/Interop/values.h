// The struct Values: a sample with every field set, its mirror image, and a comparison in words.

#pragma once

#include <kj/string.h>

#include "interop.capnp.h"

void fillSample(interop::Values::Builder values);

void mirror(interop::Values::Reader from, interop::Values::Builder to);

// What the two print as, if they differ.
kj::Maybe<kj::String> difference(interop::Values::Reader expected, interop::Values::Reader actual);
