import CapTP
import CapnProto
import CapnProtoRPC

/// What one message of a peer costs the vat that receives it.
public struct MessageCost: Sendable {
  /// What a vat does with a message.
  public enum EntryPoint: String, CaseIterable, Sendable {
    /// An object reads the params of a call.
    case read
    /// An object copies the params of a call into its results.
    case echo
    /// An object compares the params of a call with themselves.
    case compare
    /// An object brings the params of a call into canonical form.
    case canonicalize
    /// A call is passed on over another connection.
    case forward
    /// A call goes back to the peer, whose capability it is for.
    case reflect
    /// A call crosses a membrane.
    case membrane
    /// A call waits for a promise of this vat, which is an object then.
    case promise
    /// A call is not understood, and sent back.
    case unimplemented
    /// The caller reads the results of a call.
    case results
    /// The results of a call are passed on over another connection.
    case forwardedResults
    /// A call is shown in a trace.
    case trace
    /// A call failed with an error.
    case error
    /// The peer ended the connection with a reason.
    case abort
  }

  /// The number of bytes of the message.
  public var messageBytes: Int
  /// The number of descriptors in its capability table.
  public var capabilities: Int
  /// The largest number of bytes that were allocated at one time for it, as far as the steps show.
  public var memory: Int
  /// The number of bytes that were sent because of it, to its sender and to others.
  public var sentBytes: Int
  /// The time that it took.
  public var time: Duration

  /// Sends a vat a message that the choices decide, and measures what it costs.
  ///
  /// - Parameters:
  ///   - entry: what the vat does with it.
  ///   - choices: what decides how the message is made.
  ///   - allocatedBytes: returns the number of bytes that the process has allocated.
  ///   - processorTime: returns the processor time that the process has taken.
  /// - Returns: what it cost.
  public static func measure(
    _ entry: EntryPoint, choices: some Collection<UInt8>,
    allocatedBytes: @escaping @Sendable () -> Int, processorTime: () -> Duration
  ) -> MessageCost {
    CostRun(entry, Array(choices), allocatedBytes).measure(processorTime)
  }
}
