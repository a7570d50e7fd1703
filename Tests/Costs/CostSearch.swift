import CapnProtoTesting

/// Searches for the costliest messages of one entry point: bytes that made a costly one are changed, and
/// kept if what they make is costlier.
struct CostSearch {
  /// What a message may cost.
  enum Dimension: CaseIterable {
    case memory, sent, time
  }

  /// The costliest message so far.
  struct Found {
    var factor = 0.0
    var bytes = 0
    var choices: [UInt8] = []
  }

  let entry: MessageCost.EntryPoint
  private(set) var found: [Dimension: Found] = [:]
  private var random: SeededGenerator
  private let ordinary: Ordinary

  /// What an ordinary message takes at this entry point.
  private struct Ordinary {
    var empty: Double
    var byte: Double
    var capability: Double

    init(_ entry: MessageCost.EntryPoint) {
      let empty = Self.fastest(entry, CostSearch.structs(0))
      let structs = Self.fastest(entry, CostSearch.structs(124))
      let capabilities = Self.fastest(entry, CostSearch.capabilities)
      self.empty = empty.time.seconds
      byte = max(1e-10, (structs.time.seconds - self.empty) / Double(structs.messageBytes))
      let rest = capabilities.time.seconds - self.empty
      capability = max(1e-8, rest / Double(max(1, capabilities.capabilities)))
    }

    private static func fastest(_ entry: MessageCost.EntryPoint, _ choices: [UInt8]) -> MessageCost
    {
      var best = CostSearch.measure(entry, choices)
      for _ in 0..<6 {
        let next = CostSearch.measure(entry, choices)
        if next.time < best.time { best = next }
      }
      return best
    }
  }

  init(_ entry: MessageCost.EntryPoint, seed: UInt64) {
    self.entry = entry
    random = SeededGenerator(seed: seed)
    ordinary = Ordinary(entry)
  }

  /// A struct whose pointers each lead to a struct of their own.
  private static func structs(_ count: UInt8) -> [UInt8] { [1, count, count, 9] }

  /// A list of capabilities, each with a descriptor and a pointer.
  private static let capabilities: [UInt8] = [2, 1, 112, 1, 0, 0, 2, 112, 1, 1]

  /// Bytes that make messages of the kinds that are known to be costly.
  private static let seeds: [[UInt8]] = [
    structs(124), capabilities,
    // Pointers that all lead to one list of capability pointers.
    [2, 1, 91, 1, 91, 6, 0, 0, 1],
    // Pointers that lead to one blob.
    [2, 1, 112, 1, 112, 2],
    // Lists of elements without a size.
    [1, 1, 200, 4, 11], [1, 1, 200, 5, 0, 0, 11],
    // Capability tables: as they should be, of words, of less, and of nothing.
    [1, 0, 0, 0, 2, 124, 1, 1], [1, 0, 0, 0, 4, 124, 1, 1], [1, 0, 0, 0, 5, 124, 1, 0],
    [1, 0, 0, 0, 6, 124, 1, 0, 11], [1, 0, 0, 0, 2, 100, 4, 0, 100],
  ]

  mutating func run(messages: Int) {
    var kept = Self.seeds
    for seed in kept { _ = consider(seed) }
    for _ in 0..<max(0, messages - kept.count) {
      let choices = mutated(kept[Int.random(in: 0..<kept.count, using: &random)])
      if consider(choices) { kept.append(choices) }
    }
  }

  /// Measures the message, and notes it if it is the costliest in a dimension.
  private mutating func consider(_ choices: [UInt8]) -> Bool {
    var isBetter = false
    var cost = Self.measure(entry, choices)
    // Whatever else the processor does makes a time longer: what seems to be over is measured again.
    if factor(.time, cost) > (found[.time]?.factor ?? 0) {
      for _ in 0..<3 { cost.time = min(cost.time, Self.measure(entry, choices).time) }
    }
    for dimension in Dimension.allCases {
      let factor = factor(dimension, cost)
      if factor > found[dimension]?.factor ?? 0 {
        found[dimension] = Found(factor: factor, bytes: cost.messageBytes, choices: choices)
        isBetter = true
      }
    }
    return isBetter
  }

  private func factor(_ dimension: Dimension, _ cost: MessageCost) -> Double {
    let bytes = Double(cost.messageBytes)
    let capabilities = cost.capabilities
    switch dimension {
    case .memory:
      let allowed = Allowance.bytes + capabilities * Allowance.bytesOfCapability
      return max(0, Double(cost.memory - allowed)) / bytes
    case .sent: return max(0, Double(cost.sentBytes - Allowance.bytes)) / bytes
    case .time:
      let allowed =
        ordinary.empty + Allowance.seconds
        + Double(capabilities) * ordinary.capability * Allowance.timesOfCapability
      return max(0, cost.time.seconds - allowed) / (bytes * ordinary.byte)
    }
  }

  private mutating func mutated(_ choices: [UInt8]) -> [UInt8] {
    var choices = choices
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let byte = UInt8.random(in: 0...255, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: choices.append(byte)
      case 1 where choices.count > 1:
        choices.remove(at: Int.random(in: 0..<choices.count, using: &random))
      case 2:
        choices.insert(byte, at: Int.random(in: 0...choices.count, using: &random))
      default:
        if !choices.isEmpty { choices[Int.random(in: 0..<choices.count, using: &random)] = byte }
      }
    }
    return Array(choices.prefix(64))
  }

  private static func measure(
    _ entry: MessageCost.EntryPoint, _ choices: [UInt8]
  ) -> MessageCost {
    MessageCost.measure(
      entry, choices: choices, allocatedBytes: ProcessUsage.allocatedBytes,
      processorTime: ProcessUsage.processorTime)
  }
}

/// What a message may cost whatever its size.
enum Allowance {
  static let bytes = 65_536
  static let seconds = 0.001
  /// An imported capability: its entries in the tables, the object that stands for it, and the message that
  /// releases it.
  static let bytesOfCapability = 768
  /// Twice what one takes in an ordinary message.
  static let timesOfCapability = 2.0
}

extension Duration {
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
