@0xe5c1b0a4f7d93a10;

using import "/person.capnp".Person;
using Limits = import "/limits.capnp";
using import "/storage/shelf.capnp".Shelf;

struct Size { most @0 :UInt32 = Limits.people; }

interface PhoneBook extends(Shelf(Text, Person)) {
  # Keeps people by name.

  find @0 (name :Text) -> (person :Person);
  # Finds somebody by name.
}
