@0xc339ae070f171927;
# The contract between a host program and a guest: log in, get a set of live capabilities, call
# them, lose them all when the session ends.
#
# Authority is what a caller holds a reference to, and nothing else. No number or text in these
# messages names an object: references cannot be guessed, kept for later, or moved to another
# connection. A domain "no" is a result (`denial`), an infrastructure failure is an exception, and a
# session or connection that has ended is `disconnected`: three different things.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("remotesession");

const schemaId :UInt64 = 0xc339ae070f171927;
# The id of this file. Another id is another contract.

const protocolVersion :UInt32 = 1;
# The version of this contract. It grows when a peer of an older version could misunderstand.

interface RemoteSessionGateway {
  # The bootstrap object of a connection to the guest's gateway. Everybody who can connect holds it;
  # it carries no authority but to ask. It dies with its connection.

  describe @0 () -> (description :GatewayDescription);
  # What is at the other end, for diagnoses.

  authMethods @1 () -> (methods :List(AuthMethod));
  # Every method that the contract knows, also those which this guest does not admit.

  login @2 (request :LoginRequest) -> (session :RemoteSession, denial :LoginDenial);
  # Exactly one of the results is set. They are two fields and no union, so that calls on `session`
  # can be pipelined: login, cap set, `get` and a first call take one round trip.

  begin @3 (kind :AuthMethodKind, profile :Text)
      -> (exchange :AuthExchange, denial :LoginDenial);
  # Starts a method that takes several steps, such as a challenge and its signature.
}

struct GatewayDescription {
  protocolVersion @0 :UInt32;
  schemaId @1 :UInt64;
  # The file id of the schema that the guest was built with.
  software @2 :Text;
  loginAttempts @3 :UInt32;
  # How often a login may fail on one connection.
  sessions @4 :UInt32;
  # How many sessions may be open on one connection.
}

enum AuthMethodKind {
  password @0;
  anonymous @1;
  publicKey @2;
  oidcDeviceCode @3;
  oidcBrowser @4;
  passkey @5;
  mutualTls @6;
  workload @7;
  # A credential of a service, not of a person.
  localSetup @8;
  # The first login on a machine that has no account yet.
}

struct AuthMethod {
  kind @0 :AuthMethodKind;
  enabled @1 :Bool;
  whyDisabled @2 :Text;
  # In words, for people; empty if the method is enabled.
  profiles @3 :List(Text);
  # The profiles that a login of this method may ask for.
}

struct LoginRequest {
  profile @0 :Text;
  # Which set of capabilities is asked for. Empty asks for the method's or account's first one.

  union {
    unspecified @1 :Void;
    # Denied as malformed: the method has to be named.
    password @2 :PasswordCredentials;
    anonymous @3 :Void;
  }
}

struct PasswordCredentials {
  account @0 :Text;
  password @1 :Text;
}

struct LoginDenial {
  reason @0 :Reason;
  text @1 :Text;
  # For people. It never tells whether an account exists.

  enum Reason {
    unspecified @0;
    malformedRequest @1;
    methodDisabled @2;
    badCredentials @3;
    # The account is unknown or the proof is wrong: the guest does not say which.
    accountDisabled @4;
    # Only said to who has proved to own the account.
    profileNotAdmitted @5;
    tooManyAttempts @6;
    tooManySessions @7;
  }
}

interface AuthExchange {
  # A login that takes several steps. Whoever began it holds it; it dies with its connection, when
  # it is dropped, and when it has ended.

  proceed @0 (response :Data)
      -> (challenge :Data, session :RemoteSession, denial :LoginDenial);
  # Answers the last challenge with the proof that it asked for. Exactly one of the results is set.
}

interface RemoteSession {
  # A session. Whoever logged in holds it. It dies, and everything got through it, at logout, at its
  # expiry, when the guest revokes it, and with its connection; dropping it ends nothing.

  info @0 () -> (info :SessionInfo);

  capSet @1 () -> (capSet :RemoteCapSet);

  logout @2 ();
  # Ends the session. Every later call on anything got through it fails with `disconnected`.
}

struct SessionInfo {
  account @0 :Text;
  # As the guest discloses it to the session itself; empty for an anonymous one.
  profile @1 :Text;
  method @2 :AuthMethodKind;
  expiresInSeconds @3 :UInt32;
  # How long the session may still last; 0 if it does not expire by itself.
}

interface RemoteCapSet {
  # What the guest's broker granted to the session, by name. The session's holder holds it; it dies
  # with the session.

  list @0 () -> (entries :List(CapEntry));

  get @1 (name :Text, interfaceId :UInt64) -> (cap :Capability, denial :CapDenial);
  # The capability of the name, if it has the interface. Exactly one of the results is set. What was
  # not granted is denied in the same way as what does not exist.
}

struct CapEntry {
  name @0 :Text;
  interfaceId @1 :UInt64;
  interfaceName @2 :Text;
  lease @3 :Lease;

  enum Lease {
    unspecified @0;
    session @1;
    # Lives as long as the session.
  }
}

struct CapDenial {
  reason @0 :Reason;
  text @1 :Text;

  enum Reason {
    unspecified @0;
    unknownName @1;
    wrongInterface @2;
    # `text` names both interfaces.
  }
}
