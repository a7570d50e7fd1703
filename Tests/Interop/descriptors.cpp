#include "descriptors.h"

using namespace interop;

namespace {

auto askForNotes(Client& client, kj::ArrayPtr<const kj::String> texts) {
  auto request = client.peer.newNotesRequest();
  auto list = request.initTexts(texts.size());
  for (uint32_t i = 0; i < texts.size(); i++) list.set(i, texts[i]);
  return request.send();
}

auto offerNotes(Client& client, kj::ArrayPtr<const kj::String> texts, size_t padding) {
  auto request = client.peer.readNotesRequest();
  auto list = request.initNotes(texts.size());
  for (uint32_t i = 0; i < texts.size(); i++) list.set(i, newNote(client.own, texts[i]));
  request.initPadding(padding);
  return request.send();
}

// What the descriptor of a note gives to read: nothing where the transport carries none.
kj::StringPtr carried(Client& client, kj::StringPtr text) {
  return client.isUnix() ? text : kj::StringPtr("");
}

}  // namespace

void descriptorOfAResult(Client& client) {
  auto texts = kj::arr(kj::str("hello"));
  auto response = client.wait(askForNotes(client, texts));
  auto note = response.getNotes()[0];
  EXPECT(client.wait(readNote(note)) == carried(client, "hello"));
  EXPECT(client.wait(note.textRequest().send()).getText() == "hello");
}

void descriptorOfAParameter(Client& client) {
  auto texts = kj::arr(kj::str("mine"), kj::str(""));
  auto response = client.wait(offerNotes(client, texts, 0));
  EXPECT(response.getTexts().size() == 2);
  EXPECT(response.getTexts()[0] == carried(client, "mine"), ": ", response.getTexts()[0]);
  EXPECT(response.getTexts()[1] == "");
}

void descriptorOfAPromise(Client& client) {
  auto request = client.peer.lateNoteRequest();
  request.setText("late");
  request.setAfterMilliseconds(20);
  auto note = client.wait(request.send()).getNote();
  EXPECT(client.wait(readNote(note)) == carried(client, "late"));
  EXPECT(client.wait(note.textRequest().send()).getText() == "late");
}

// Among messages longer than a socket takes at once, each descriptor comes to its own capability.
void descriptorsOfMany(Client& client) {
  for (uint32_t round = 0; round < 5; round++) {
    kj::Vector<kj::String> texts;
    for (uint32_t i = 0; i < 12; i++) {
      texts.add(i % 3 == 1 ? kj::str() : kj::str("note ", round, " ", i));
    }
    auto asked = askForNotes(client, texts);
    auto offered = offerNotes(client, texts, round * 300000);
    auto askedAgain = askForNotes(client, texts);
    auto read = client.wait(kj::mv(offered));
    auto first = client.wait(kj::mv(asked));
    auto second = client.wait(kj::mv(askedAgain));
    for (uint32_t i = 0; i < texts.size(); i++) {
      auto expected = carried(client, texts[i]);
      EXPECT(read.getTexts()[i] == expected, ": ", read.getTexts()[i]);
      EXPECT(client.wait(readNote(first.getNotes()[i])) == expected);
      EXPECT(client.wait(readNote(second.getNotes()[i])) == expected);
    }
  }
}
