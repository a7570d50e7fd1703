@0x9f6bc2a4e1d03b59;
# Types and annotations of a standard file that has bindings in a module of this package.

using Json = import "/capnp/compat/json.capnp";

struct Setting {
  name @0 :Text $Json.name("key");
  value @1 :Json.Value;
}
