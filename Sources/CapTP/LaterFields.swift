import CapnProto

// Fields that rpc.capnp has had since version 1.0, and that the one of Debian's libcapnp-dev lacks.
// Their places follow from their ordinals (encoding specification, "Structs"): what does not know
// them leaves the bits false.

extension Return.Reader {
  /// `noFinishNeeded @8`: the sender has forgotten the answer, whose results have no capabilities.
  var noFinishNeeded: Bool { _raw.readBool(33) }
}

extension Return.Builder {
  /// `noFinishNeeded @8`: see the reader's.
  var noFinishNeeded: Bool {
    get { _raw.readBool(33) }
    nonmutating set { _raw.writeBool(33, newValue) }
  }
}
