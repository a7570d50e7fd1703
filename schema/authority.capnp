@0xf78a12e5ed70b594;
# What the gateway holds of the authority behind it. None of this is ever given to a remote client.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("remotesession");

using Session = import "remote-session.capnp";

interface SessionManager {
  # Checks proofs and mints sessions. The gateway alone holds it, as long as it runs.

  authMethods @0 () -> (methods :List(Session.AuthMethod));

  login @1 (request :Session.LoginRequest, source :LoginSource, control :SessionControl)
      -> (admission :Admission, denial :Session.LoginDenial);
  # Exactly one of the results is set.

  noteDenial @2 (method :Session.AuthMethodKind, profile :Text, source :LoginSource,
      denial :Session.LoginDenial);
  # An attempt that the gateway itself denied, for the audit log.
}

struct LoginSource {
  # Where an attempt came from: derived by the gateway from the accepted socket, never from what the
  # client says.
  address @0 :Text;
  connectionEvent @1 :UInt64;
  # Counts the connections that the listener accepted.
}

struct Admission {
  # A session that was admitted. Dropping `lease` tells the authority that it has ended.
  info @0 :Session.SessionInfo;
  grants @1 :List(Grant);
  lease @2 :SessionLease;
}

struct Grant {
  entry @0 :Session.CapEntry;
  cap @1 :Capability;
}

interface SessionLease {
  # Held by the gateway as long as the session lives.

  ended @0 (reason :Text);
  # Why it ended, for the audit log.
}

interface SessionControl {
  # Ends the gateway's side of one session. The authority holds it as long as the session lives.

  end @0 (reason :Text);
}
