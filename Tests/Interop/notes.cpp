// Notes, whose descriptors are the ends of pipes that hold their texts.

#include <kj/debug.h>
#include <kj/io.h>
#include <unistd.h>

#include "objects.h"

using namespace interop;

namespace {

class NoteImpl final : public Note::Server, Counted {
public:
  NoteImpl(Census& census, kj::StringPtr text) : Counted(census), content(kj::str(text)) {
    if (text.size() == 0) return;
    int ends[2];
    KJ_SYSCALL(pipe(ends));
    reader = kj::AutoCloseFd(ends[0]);
    kj::FdOutputStream(kj::AutoCloseFd(ends[1])).write(text.begin(), text.size());
  }

  kj::Promise<void> text(TextContext context) override {
    context.getResults().setText(content);
    return kj::READY_NOW;
  }

  kj::Maybe<int> getFd() override {
    KJ_IF_MAYBE (end, reader) return end->get();
    return nullptr;
  }

private:
  kj::String content;
  kj::Maybe<kj::AutoCloseFd> reader;
};

}  // namespace

Note::Client newNote(Census& census, kj::StringPtr text) {
  return kj::heap<NoteImpl>(census, text);
}

kj::Promise<kj::String> readNote(Note::Client note) {
  auto found = note.getFd();
  return found.then([note = kj::mv(note)](kj::Maybe<int> descriptor) mutable -> kj::String {
    KJ_IF_MAYBE (fd, descriptor) {
      char bytes[4096];
      ssize_t count;
      KJ_SYSCALL(count = read(*fd, bytes, sizeof(bytes)));
      return kj::heapString(bytes, count);
    }
    return kj::str();
  });
}
