public import CapTP
import CapnProto
import Logging

/// A Swift error that says what the caller of a method sees of it.
///
/// Any other error that a method throws may hold what is not meant for the caller: paths, addresses, secrets.
/// The caller gets a fixed text and a number for it, under which the log of this process has the error.
/// `RPCError` and ``TypedRPCError`` arrive as they are.
public protocol PeerVisibleError: Error {
  /// The error as the caller gets it.
  var rpcError: RPCError { get }
}

extension Responder {
  /// Answers the call with an error that its method threw.
  ///
  /// - Parameters:
  ///   - error: the error.
  ///   - call: the call.
  ///   - interface: what the object implements, for the log.
  func returnThrown(_ error: any Error, by call: ServerCall, of interface: InterfaceDescription) {
    switch error {
    case let error as RPCError: returnError(error)
    case let error as any TypedRPCError: returnError(RPCError(error))
    case let error as any PeerVisibleError: returnError(error.rpcError)
    case is CancellationError: returnError(.failed("the call was cancelled"))
    // Says where in a message an error is, and nothing of what the message holds.
    case let error as DecodingError: returnError(.failed("a message is invalid: \(error)"))
    default:
      let digits = String(UInt32.random(in: .min ... .max), radix: 16)
      let number = String(repeating: "0", count: 8 - digits.count) + digits
      logger.error(
        "a method failed with an error that is not meant for its caller",
        metadata: [
          "number": "\(number)", "interface": "\(interface.name)",
          "method": "\(interface.methodName(call.interfaceID, call.methodID))",
          "error": "\(String(describing: error).escapedForDisplay)",
        ])
      returnError(
        .failed("the method failed; the server's log has the reason under the number \(number)"))
    }
  }
}
