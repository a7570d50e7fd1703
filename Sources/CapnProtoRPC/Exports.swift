// Parts of this module's interface that are the engine's own.
@_exported public import struct CapTP.CalledMethod
@_exported public import struct CapTP.ConnectionLimits
@_exported public import struct CapTP.ConnectionTables
@_exported public import struct CapTP.MessageSummary
@_exported public import struct CapTP.RPCError
@_exported public import struct CapTP.TableSizes
@_exported public import struct CapTP.StreamLimits
