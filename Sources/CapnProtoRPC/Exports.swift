// The error of a call is part of this module's interface, and is the engine's own.
@_exported public import struct CapTP.ConnectionLimits
@_exported public import struct CapTP.RPCError
@_exported public import struct CapTP.TableSizes
