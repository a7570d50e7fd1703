// The scenarios of descriptors that go along with capabilities.

#pragma once

#include "client.h"

void descriptorOfAResult(Client& client);
void descriptorOfAParameter(Client& client);
void descriptorOfAPromise(Client& client);
void descriptorsOfMany(Client& client);
