@0xd1a2c86c0f3b9e57;
# The boot manifest of the demonstration guest.
#
# Its one account that may log in with a password is `operator`, and the password is `let-me-in`:
# a demonstration's, in public. For a guest of your own, make a verifier of another password:
#
#   python3 -c 'import hashlib, os, getpass; s = os.urandom(16); print(s.hex(), hashlib.scrypt(
#     getpass.getpass().encode(), salt=s, n=16384, r=8, p=1, dklen=32).hex())'

using Boot = import "/boot-manifest.capnp";

const manifest :Boot.BootManifest = (
  hostname = "guest",
  motd = "Welcome. What you can call is what you were given.",
  # The limits are the schema's: a machine of 256 MiB holds what 16 connections may make it hold.
  listeners = [(guestPort = 2327, service = remoteSessionGateway)],
  accounts = [
    ( name = "operator",
      password = (
        salt = 0x"6f1d9a3be07c45528e2b94d1730fa6c8",
        key = 0x"4a423e2f7ba70c4a4baf7ca1e94fcfd6c30c6d9cca4232bc749f846959531fd7"),
      profiles = ["operator"] ),
  ],
  profiles = [
    ( name = "operator", methods = [password],
      grants = ["session", "systemInfo", "chat"], sessionSeconds = 3600 ),
    ( name = "anonymous", methods = [anonymous],
      grants = ["session", "systemInfo"], sessionSeconds = 900 ),
  ],
);
