/// The generator of carsales.capnp.
struct Numbers {
  private var state: UInt64 = 88_172_645_463_325_252

  /// The next number below `limit`.
  mutating func below(_ limit: UInt64) -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return ((state >> 32) &* limit) >> 32
  }

  mutating func flip() -> Bool { below(2) == 1 }

  mutating func below<Number: FixedWidthInteger>(_ limit: UInt64, as: Number.Type) -> Number {
    Number(truncatingIfNeeded: below(limit))
  }
}
