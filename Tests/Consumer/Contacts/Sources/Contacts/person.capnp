@0xe5c1b0a4f7d93a11;

using Swift = import "/capnp/swift.capnp";

struct Person $Swift.value {
  name @0 :Text;
  phones @1 :List(Text);
}
