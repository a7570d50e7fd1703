# Annotations that change what capnpc-swift-gen makes of a schema. No other generator minds them.
#
#     using Swift = import "/capnp/swift.capnp";
#
# The build plugin finds this file by itself; the schema compiler by `-I<this package>/include`.

@0xc90e2d16f1c8c0ec;

annotation module @0xf4cf96ffca0d1d6f (file) :Text;
# The Swift module that holds the bindings of the file. The build plugin knows the modules of the
# schemas of a target's dependencies; a schema that is found elsewhere has to say its own.

annotation name @0xf9dbe2a704afacaf
    (struct, enum, interface, const, field, union, group, enumerant, method, param) :Text;
# Another name for the declaration in Swift.

annotation deprecated @0x940aeb50d137479d
    (struct, enum, interface, const, field, union, group, enumerant, method, param) :Text;
# Marks what stands for the declaration as deprecated, with the text as the message.

annotation value @0xf9553187b2d0d91f (file, struct, interface) :Void;
# Gives the struct, or every struct declared in the scope, a `Value`: a Swift struct with stored
# properties that is made from a reader and written to a builder.
