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

  noteDenial @2 (denied :DeniedAttempt);
  # Attempts that the gateway itself denied, for the audit log.
}

struct DeniedAttempt {
  # What was asked for, without any proof that came with it.
  method @0 :AttemptedMethod;
  profile @1 :Text;
  source @2 :LoginSource;
  reason @3 :Session.LoginDenial.Reason;
  attempts @4 :UInt32 = 1;
  # How many attempts this stands for; of more than one, the last is described.
}

struct AttemptedMethod {
  union {
    unreadable @0 :Void;
    # The request cannot be decoded.
    unspecified @1 :Void;
    # It names no method.
    kind @2 :Session.AuthMethodKind;
    other @3 :UInt16;
    # It names one that the guest's schema does not have: the member of the request's union.
  }
}

struct LoginSource {
  # Where an attempt came from: derived by the gateway from the accepted socket, never from what the
  # client says.
  address @0 :Text;
  connectionEvent @1 :UInt64;
  # Counts the connections that the guest accepted since it booted, at all of its listeners.
  host @2 :Text;
  # The address without what changes from one connection to the next, such as its port.
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
