#include <capnp/common.h>
#include <unistd.h>

#include <cstring>
#include <iostream>

#include "client.h"
#include "server.h"

static int usage() {
  std::cerr << "usage: peer server ADDRESS [SECONDS]   serve, for 600 s at most or as given\n"
               "       peer client ADDRESS [NAME...]   run the scenarios against a server\n"
               "       peer list                       print the scenarios' names\n"
               "       peer version                    print the version of libcapnp\n"
               "ADDRESS is unix:PATH or 127.0.0.1:PORT; port 0 takes a free one.\n";
  return 64;
}

int main(int argc, char** argv) {
  kj::StringPtr mode = argc > 1 ? argv[1] : "";
  try {
    if (mode == "server" && argc > 2) {
      return serve(argv[2], argc > 3 ? kj::StringPtr(argv[3]).parseAs<uint32_t>() : 600);
    } else if (mode == "client" && argc > 2) {
      // Each wait ends by itself; this is for what does not wait.
      alarm(180);
      auto names = kj::heapArrayBuilder<kj::String>(argc - 3);
      for (int i = 3; i < argc; i++) names.add(kj::str(argv[i]));
      return drive(argv[2], names.finish());
    } else if (mode == "list") {
      for (auto& scenario : scenarios) std::cout << scenario.name << "\n";
      return 0;
    } else if (mode == "version") {
      std::cout << CAPNP_VERSION_MAJOR << "." << CAPNP_VERSION_MINOR << "." << CAPNP_VERSION_MICRO
                << "\n";
      return 0;
    }
  } catch (kj::Exception& exception) {
    std::cerr << "peer: " << exception.getDescription().cStr() << std::endl;
    return 1;
  }
  return usage();
}
