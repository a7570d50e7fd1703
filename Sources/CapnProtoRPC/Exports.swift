// Parts of this module's interface that are the engine's own.
@_exported public import enum CapTP.BusyPolling
@_exported public import struct CapTP.CalledMethod
@_exported public import enum CapTP.ConnectionLimit
@_exported public import struct CapTP.ConnectionLimits
@_exported public import struct CapTP.ConnectionStatistics
@_exported public import struct CapTP.ConnectionTables
@_exported public import struct CapTP.MessageSummary
@_exported public import struct CapTP.RPCError
@_exported public import struct CapTP.StreamLimits
@_exported public import struct CapTP.TableSizes
