/// When a transport writes what it was given before its turn ends, so that the peer is at work meanwhile:
/// early the first time where the peer may sleep and take long to wake up, and then seldom, as each write
/// costs as much as some calls.
struct Gathering {
  /// Messages that wait and that the peer waits for, or has work with.
  private var awaited = 0
  /// With so many of them some should be written.
  private var limit = Self.asleep
  /// Whether the peer seems to be awake, so that what is written at the end of the turn is soon enough
  /// for a good many.
  var isPeerAwake = false {
    didSet { if isPeerAwake != oldValue { limit = first } }
  }

  private static let asleep = 4
  private static let awake = 24
  private static let growth = 4
  private static let most = 64

  private var first: Int { isPeerAwake ? Self.awake : Self.asleep }

  /// Whether what waits should be written now.
  var isDue: Bool { awaited >= limit }

  /// A message waits.
  ///
  /// - Returns: whether what waits should be written now. That is said until it is, as it can only be done
  ///   where the transport's work is.
  mutating func add(isAwaited: Bool) -> Bool {
    guard isAwaited else { return false }
    awaited += 1
    return isDue
  }

  /// What waits is written: at the end of a turn, or before, when the peer has work for a while.
  mutating func written(atEnd: Bool) {
    awaited = 0
    limit = atEnd ? first : min(Self.growth * limit, Self.most)
  }
}
