@0xba383c5d5b47b955;
# What a guest offers in a session's cap set. Each of these dies with the session that it was got
# through.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("remotesession");

using Session = import "remote-session.capnp";

interface SystemInfo {
  # Facts about the guest. Every session may hold it.

  motd @0 () -> (text :Text);
  # The operator's message to who logs in.

  describe @1 () -> (description :SystemDescription);
}

struct SystemDescription {
  hostname @0 :Text;
  software @1 :Text;
  uptimeSeconds @2 :UInt64;
}

interface UserSession {
  # What the guest knows of the session itself. Only that session holds it.

  info @0 () -> (info :UserSessionInfo);

  logout @1 ();
  # As `RemoteSession.logout`.
}

struct UserSessionInfo {
  account @0 :Text;
  # Empty for an anonymous session.
  profile @1 :Text;
  method @2 :Session.AuthMethodKind;
  ageSeconds @3 :UInt64;
}

interface Chat {
  # Talks as one session: who speaks is the session's account, and no call can say otherwise.

  join @0 (room :Text) -> (room :ChatRoom, denial :ChatDenial);
  # Exactly one of the results is set.
}

interface ChatRoom {
  # One session's membership in a room. It ends when it is dropped and with the session.

  send @0 (text :Text) -> (denial :ChatDenial);
  # Says a line to every subscriber of the room. `denial` is null if it was said.

  subscribe @1 (listener :ChatListener) -> (subscription :ChatSubscription, denial :ChatDenial);
  # Lines that are said from now on go to the listener, in order.
}

interface ChatSubscription {
  # Ends when it is dropped and with the session.
}

interface ChatListener {
  # Held by the guest, on behalf of the session that gave it. The guest lets go of it when the
  # subscription ends, and when a call fails.

  line @0 (line :ChatLine);
}

struct ChatLine {
  room @0 :Text;
  account @1 :Text;
  # Who said it, by their session.
  member @2 :UInt32;
  # Tells members of one account apart, in this room alone.
  text @3 :Text;
}

struct ChatDenial {
  reason @0 :Reason;
  text @1 :Text;

  enum Reason {
    unspecified @0;
    emptyText @1;
    textTooLong @2;
    badRoomName @3;
    tooManyRooms @4;
    tooManySubscriptions @5;
  }
}
