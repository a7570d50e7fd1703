/// Random numbers that a seed decides (SplitMix64), so that a run can be repeated.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64
  /// What decides before the seed does, the next one last.
  private var choices: [UInt8] = []

  /// A generator that gives the same numbers each time for the same seed.
  public init(seed: UInt64) { state = seed }

  /// A generator whose first numbers the bytes decide, one each, and all others after them: a change
  /// of one byte changes one choice.
  public init(choices: [UInt8]) {
    state = choices.reduce(0) { $0 &* 31 &+ UInt64($1) }
    self.choices = choices.reversed()
  }

  /// The next number.
  public mutating func next() -> UInt64 {
    // The upper bits are those that choose in a range.
    if let choice = choices.popLast() { return UInt64(choice) &* 0x0101_0101_0101_0101 }
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// True once in so many times.
  mutating func once(in times: Int) -> Bool { Int.random(in: 0..<times, using: &self) == 0 }
}
