// floor sleeping|polling COUNT
//
// What the system alone takes for a call: a message of 96 bytes goes to another process over loopback
// TCP and comes back, COUNT times. Both processes sleep in epoll until it is there, or look for it
// without sleeping. Prints the nanoseconds of a round trip, as the other programs do.

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "report.h"

static const size_t messageBytes = 96;

[[noreturn]] static void fail(const char* what) {
  perror(what);
  exit(1);
}

class Peer {
public:
  Peer(int socket, bool isPolling) : socket(socket), isPolling(isPolling) {
    int on = 1;
    if (setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) fail("floor: setsockopt");
    epoll = epoll_create1(0);
    epoll_event event = {};
    event.events = EPOLLIN;
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) < 0) fail("floor: epoll");
  }

  void send() {
    if (::send(socket, message, messageBytes, MSG_NOSIGNAL) != ssize_t(messageBytes)) exit(0);
  }

  // Ends the process when the other one has gone.
  void receive() {
    size_t count = 0;
    while (count < messageBytes) {
      if (!isPolling) {
        epoll_event event;
        epoll_wait(epoll, &event, 1, -1);
      }
      ssize_t read = recv(socket, message, messageBytes - count, MSG_DONTWAIT);
      if (read > 0) {
        count += read;
      } else if (read == 0 || (errno != EAGAIN && errno != EINTR)) {
        exit(0);
      }
    }
  }

private:
  int socket;
  bool isPolling;
  int epoll;
  char message[messageBytes] = {};
};

int main(int argc, char** argv) {
  bool isPolling = argc == 3 && strcmp(argv[1], "polling") == 0;
  unsigned long count = argc == 3 ? strtoul(argv[2], nullptr, 10) : 0;
  if (count == 0 || (!isPolling && strcmp(argv[1], "sleeping") != 0)) {
    fputs("usage: floor sleeping|polling COUNT\n", stderr);
    return 64;
  }
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto place = reinterpret_cast<sockaddr*>(&address);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, place, length) < 0 || listen(listener, 1) < 0 ||
      getsockname(listener, place, &length) < 0) {
    fail("floor: listen");
  }
  pid_t child = fork();
  if (child < 0) fail("floor: fork");
  if (child == 0) {
    Peer peer(accept(listener, nullptr, nullptr), isPolling);
    while (true) {
      peer.receive();
      peer.send();
    }
  }
  int connected = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connected, place, length) < 0) fail("floor: connect");
  Peer peer(connected, isPolling);
  auto roundTrip = [&] {
    peer.send();
    peer.receive();
  };
  for (int i = 0; i < 1000; i++) roundTrip();
  auto start = std::chrono::steady_clock::now();
  for (unsigned long i = 0; i < count; i++) roundTrip();
  report(isPolling ? "floor-polling" : "floor-sleeping", count, nanosecondsSince(start), 0);
  kill(child, SIGTERM);
  return 0;
}
