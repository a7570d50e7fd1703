/// A chain of capabilities, each of which passes its calls on to the next one: resolved promises,
/// references that a peer reflects, wrappers.
///
/// An application or a peer decides how long a chain is, and a circle may come about by chance, of two
/// promises that resolve to each other at once. So a chain is walked by a loop, and up to a bound.
package enum CapabilityChain {
  /// The number of links that are followed. Promises that resolved to promises are one link, however
  /// many there are: such a chain is shortened when it is walked.
  package static let limit = 64

  /// The error of each call on a capability at whose end nothing is found within the limit.
  package static let error = RPCError.failed(
    "the capability leads to itself, or to an object by way of more than \(limit) others")

  /// Finds the last element of a chain.
  ///
  /// - Parameters:
  ///   - first: The first element.
  ///   - next: Returns the element after another one, or `nil` for the last.
  /// - Returns: The last element, or `nil` if that is more than ``limit`` links away.
  @inline(__always)
  package static func end<Element>(of first: Element, next: (Element) -> Element?) -> Element? {
    var element = first
    for _ in 0...limit {
      guard let following = next(element) else { return element }
      element = following
    }
    return nil
  }
}
