// Texts and strings: texts.capnp says which.

#pragma once

#include <capnp/message.h>

#include <string>
#include <vector>

#include "texts.capnp.h"

namespace bench {

struct TextStrings {
  std::vector<std::string> strings;

  TextStrings() {
    for (int n = 0; n < 100; n++) {
      std::string text;
      for (int i = 0; i < 60; i++) text += static_cast<char>('a' + (n + i) % 26);
      strings.push_back(text);
    }
  }

  void fill(capnp::MessageBuilder& message) {
    auto texts = message.initRoot<Texts>().initTexts(strings.size());
    for (unsigned i = 0; i < strings.size(); i++) {
      texts.set(i, capnp::Text::Reader(strings[i].data(), strings[i].size()));
    }
  }

  static uint64_t value(capnp::MessageReader& message) {
    uint64_t value = 0;
    for (auto text : message.getRoot<Texts>().getTexts()) {
      std::string string(text.begin(), text.size());
      asm volatile("" : : "r"(string.data()) : "memory");
      value += string.size();
    }
    return value;
  }
};

}  // namespace bench
