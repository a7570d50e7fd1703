@0xeaea3bb45f90c674;
# What a guest starts with. It is authored as a constant of `BootManifest`, encoded when the image
# is built, and read by PID 1; nothing of it can be changed from outside of the image.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("remotesession");

using Session = import "remote-session.capnp";

struct BootManifest {
  hostname @0 :Text;
  motd @1 :Text;
  listeners @2 :List(Listener);
  # Exactly these ports are bound.
  accounts @3 :List(Account);
  profiles @4 :List(Profile);
  limits @5 :Limits;
}

struct Listener {
  guestPort @0 :UInt16;
  service @1 :Service;

  connections @2 :UInt16 = 16;
  # Open connections; one more is refused in words.
  messageKiB @3 :UInt32 = 1024;
  # The longest message that a connection may send.
  unwrittenKiB @4 :UInt32 = 4096;
  # What a connection may leave unread before it is given up.
  calls @5 :UInt32 = 64;
  # Calls of a connection that may be open at once.

  enum Service {
    unspecified @0;
    remoteSessionGateway @1;
  }
}

struct Account {
  name @0 :Text;
  password @1 :ScryptVerifier;
  # Null: the account cannot log in with a password.
  profiles @2 :List(Text);
  # What it may ask for; the first one is meant where a login names none.
  disabled @3 :Bool;
}

struct ScryptVerifier {
  # What is kept of a password (RFC 7914). The password cannot be had from it.
  salt @0 :Data;
  key @1 :Data;
  # scrypt(password, salt, rounds, blockSize, parallelism), 16 to 64 bytes.
  rounds @2 :UInt32 = 16384;
  blockSize @3 :UInt32 = 8;
  parallelism @4 :UInt32 = 1;
}

struct Profile {
  name @0 :Text;
  methods @1 :List(Session.AuthMethodKind);
  # The methods that admit to it.
  grants @2 :List(Text);
  # The services that its sessions get, by name.
  sessionSeconds @3 :UInt32;
  # How long its sessions last; 0: until logout or disconnect.
}

struct Limits {
  loginAttempts @0 :UInt32 = 5;
  # Failed logins on one connection.
  sessions @1 :UInt32 = 4;
  # Open sessions on one connection.
  secondsWithoutSession @2 :UInt32 = 60;
  # How long a connection may be open without a session.
  failedLogins @3 :UInt32 = 30;
  # Failed logins from one address to one account at once, over any number of connections; each is
  # forgotten after a while, one by one.
  passwordChecksPerMinute @4 :UInt32 = 60;
  # Of all connections together: each takes its time on purpose.
}
