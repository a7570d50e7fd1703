@0xe5c1b0a4f7d93a10;

using import "person.capnp".Person;

interface PhoneBook {
  # Keeps people.

  add @0 (person :Person);
  # Adds somebody.
  find @1 (name :Text) -> (person :Person);
  # Finds somebody by name.
}
