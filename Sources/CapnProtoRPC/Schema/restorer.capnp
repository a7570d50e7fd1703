@0xa5d7e30c9b61f284;

using Swift = import "/capnp/swift.capnp";

$Swift.module("CapnProtoRPC");

interface Restorer(SturdyRef) {
  # Gives back capabilities that were saved (`Persistent` in persistent.capnp), on another connection
  # or after a restart. It acts for one owner, to whom its holder has proven to belong: what was sealed
  # for another owner is not restored.

  restore @0 (sturdyRef :SturdyRef) -> (capability :Capability);
  # Throws if the reference is unknown, or is not for this owner; which of both is not told.
}
