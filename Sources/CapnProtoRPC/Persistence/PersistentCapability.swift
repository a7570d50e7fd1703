// Level 2 of rpc.capnp: references that outlive their connection.
//
// An object that can be saved answers `save` (`Persistent` in persistent.capnp) beside the methods of
// its own interface. What it returns, a SturdyRef, is data: it can be stored, and given to a
// ``Restorer`` later to get the object again. Its format is the application's, and so is the owner that
// it may be sealed for: both are type parameters.
//
// Whoever has a SturdyRef that is not sealed has the object. It must hold a secret that nobody can
// guess, which the application makes: at least 128 bits of `SystemRandomNumberGenerator`, or a
// signature. A name or a number that counts up is none.

import CapTP
import CapnProto

extension CapabilityClient {
  /// The same object, which can be saved as well: calls of `save` go to the keeper, all others to the
  /// object. Cast to ``Persistent/Client`` to call it.
  ///
  /// - Parameters:
  ///   - object: the object.
  ///   - keeper: knows which object this is, and makes SturdyRefs for it.
  public init(_ object: Self, savedBy keeper: some Persistent.Server) {
    self.init(
      _capability: Capability(
        PersistentCapability.around(
          object._capability.target, Persistent.Client.server(keeper)._capability.target)))
  }
}

/// An object beside what saves it.
final class PersistentCapability: TurnTarget {
  private let object: any CallTarget
  private let keeper: any CallTarget
  let turns = TurnQueue()
  let wrapperCount: Int

  private init(_ object: any CallTarget, _ keeper: any CallTarget, wrapperCount: Int) {
    self.object = object
    self.keeper = keeper
    self.wrapperCount = wrapperCount
  }

  static func around(_ object: any CallTarget, _ keeper: any CallTarget) -> any CallTarget {
    object.wrapped { PersistentCapability(object, keeper, wrapperCount: $0) }
  }

  var streamWriter: StreamWriter { object.streamWriter }
  var streamLimits: StreamLimits { limitsTarget?.streamLimits ?? StreamLimits() }
  var callTimeout: Duration? { limitsTarget?.callTimeout }

  func next(for purpose: ChainPurpose) -> (any CallTarget)? {
    switch purpose {
    case .deliver(let call):
      // The object answers a message that is invalid.
      let isSave = (try? call.message.reader.call.interfaceId) == Persistent._typeID
      return isSave ? keeper : object
    case .limits, .release: return object
    case .send, .identity: return nil
    }
  }

  func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus { .that(object) }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    pass(call, responder: responder)
  }
}
