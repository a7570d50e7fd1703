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

extension Finish.Reader {
  /// `requireEarlyCancellationWorkaround @2`, true unless it is set: the call is to be handed on before it
  /// is cancelled. Versions before 1.0 did so by chance, and what is built on them may rely on it.
  package var requireEarlyCancellationWorkaround: Bool { !_raw.readBool(33) }
}

extension Finish.Builder {
  /// `requireEarlyCancellationWorkaround @2`: see the reader's.
  package var requireEarlyCancellationWorkaround: Bool {
    get { !_raw.readBool(33) }
    nonmutating set { _raw.writeBool(33, !newValue) }
  }
}
