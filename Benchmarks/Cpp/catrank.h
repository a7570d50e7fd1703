// Search results: catrank.capnp says what the messages hold and what their value is.

#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "catrank.capnp.h"
#include "numbers.h"

namespace bench {

inline uint64_t valueOf(SearchResultList::Reader list) {
  uint64_t value = 0;
  for (auto result : list.getResults()) {
    auto url = result.getUrl(), snippet = result.getSnippet();
    double score = result.getScore();
    uint64_t pattern;
    memcpy(&pattern, &score, sizeof pattern);
    value += url.size() + snippet.size() * 3 + static_cast<uint8_t>(url[url.size() - 1]) +
        static_cast<uint8_t>(snippet[snippet.size() - 1]) + (pattern >> 32);
  }
  return value;
}

struct CatRank {
  static constexpr unsigned count = 100;
  Numbers numbers;
  std::vector<std::string> urls, snippets;

  CatRank() {
    static const char* const words[] = {"cat", "dog", "and", "quick", "brown", "horse", "over",
        "river", "yellow", "window", "market", "under", "stone", "garden", "paper", "lamp"};
    for (int i = 0; i < 64; i++) {
      char letter = 'a' + numbers.below(26);
      urls.push_back("https://example.com/" + std::string(numbers.below(16) + 4, letter));
      std::string snippet = " ";
      for (uint32_t left = 20 + numbers.below(20); left > 0; left--) {
        snippet += words[numbers.below(16)];
        snippet += ' ';
      }
      snippets.push_back(snippet);
    }
  }

  void fill(capnp::MessageBuilder& message) {
    auto results = message.initRoot<SearchResultList>().initResults(count);
    for (auto result : results) {
      auto& url = urls[numbers.below(64)];
      result.setUrl(capnp::Text::Reader(url.data(), url.size()));
      result.setScore(1 + numbers.below(1000));
      auto& snippet = snippets[numbers.below(64)];
      result.setSnippet(capnp::Text::Reader(snippet.data(), snippet.size()));
    }
  }

  static uint64_t value(capnp::MessageReader& message) {
    return valueOf(message.getRoot<SearchResultList>());
  }

  static void answer(capnp::MessageReader& request, capnp::MessageBuilder& response) {
    struct Ranked {
      double score;
      SearchResult::Reader result;
    };
    auto results = request.getRoot<SearchResultList>().getResults();
    std::vector<Ranked> ranked;
    ranked.reserve(results.size());
    for (auto result : results) {
      double score = result.getScore();
      auto snippet = result.getSnippet();
      if (strstr(snippet.cStr(), " cat ")) score *= 1000;
      if (strstr(snippet.cStr(), " dog ")) score /= 1000;
      ranked.push_back({score, result});
    }
    std::stable_sort(ranked.begin(), ranked.end(),
        [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
    auto list = response.initRoot<SearchResultList>().initResults(ranked.size());
    for (unsigned i = 0; i < ranked.size(); i++) {
      list[i].setUrl(ranked[i].result.getUrl());
      list[i].setScore(ranked[i].score);
      list[i].setSnippet(ranked[i].result.getSnippet());
    }
  }

  static uint64_t check(capnp::MessageReader& response) {
    uint64_t good = 0;
    for (auto result : response.getRoot<SearchResultList>().getResults()) {
      good += result.getScore() > 501;
    }
    return good + value(response);
  }
};

}  // namespace bench
