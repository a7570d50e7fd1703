// The bindings of this module are generated from the `.capnp` files of this folder.
