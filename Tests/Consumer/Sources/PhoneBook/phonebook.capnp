@0xe5c1b0a4f7d93a10;

using import "/person.capnp".Person;
using import "/storage/shelf.capnp".Shelf;

interface PhoneBook extends(Shelf(Text, Person)) {
  # Keeps people by name.

  find @0 (name :Text) -> (person :Person);
  # Finds somebody by name.
}
