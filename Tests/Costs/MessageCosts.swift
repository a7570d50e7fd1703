// Safety. The C library's functions that are called here take the address of a value for the length of
// the call, and return numbers.

import ArgumentParser
import CMalloc
import CapnProtoTesting

#if canImport(Glibc)
  import Glibc
#endif

/// Looks for the message that costs a vat most for its size.
@main
struct MessageCosts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "message-costs",
    abstract: "Look for messages of a peer that cost a vat more than they are long.",
    discussion: """
      For each entry point, messages of up to 1 MiB are made from bytes, and those that cost most for \
      their size are changed further. The largest factors that were found are printed: of memory, beyond \
      64 KiB and 768 bytes for each capability in the message, to the message's bytes; of bytes sent, \
      beyond 64 KiB, to the message's bytes; and of processor time, beyond 1 ms and twice what a capability \
      of an ordinary message takes for each one, to that of an ordinary message of the same size. If a \
      factor is over the limit, the exit status is 1.
      """)

  @Option(help: "How many messages are tried at each entry point.")
  var messages = 2000
  @Option(help: "The seed of the search.")
  var seed: UInt64 = 1
  @Option(help: "The largest factor that is allowed.")
  var limit = 8.0
  @Option(help: "The entry points to look at, by name; all without.")
  var only: [String] = []
  @Flag(help: "Print the bytes that make the costliest messages.")
  var choices = false

  func validate() throws {
    guard messages >= 1 else { throw ValidationError("--messages must be 1 or more") }
    for name in only where MessageCost.EntryPoint(rawValue: name) == nil {
      let known = MessageCost.EntryPoint.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("there is no entry point '\(name)'; they are \(known)")
    }
  }

  func run() throws {
    print("entry point        memory    sent    time")
    var isOver = false
    for entry in MessageCost.EntryPoint.allCases
    where only.isEmpty || only.contains(entry.rawValue) {
      var search = CostSearch(entry, seed: seed)
      search.run(messages: messages)
      let found = CostSearch.Dimension.allCases.map { search.found[$0] ?? CostSearch.Found() }
      let columns = found.map { Self.column($0.factor) }.joined()
      let name = entry.rawValue
      print(name + String(repeating: " ", count: max(0, 17 - name.count)) + columns)
      for case let (dimension, found) in zip(CostSearch.Dimension.allCases, found) {
        let exceeds = found.factor > limit
        isOver = isOver || exceeds
        if exceeds || choices {
          print("  \(dimension): \(found.bytes) bytes from \(found.choices)")
        }
      }
    }
    if isOver {
      print("message-costs: a message costs more than \(limit) times its size")
      throw ExitCode.failure
    }
  }

  /// The factor with two digits behind the point.
  private static func column(_ factor: Double) -> String {
    let hundredths = Int((factor * 100).rounded())
    let digits = "\(hundredths % 100)"
    let text = "\(hundredths / 100)." + (digits.count < 2 ? "0" : "") + digits
    return String(repeating: " ", count: max(1, 8 - text.count)) + text
  }
}

/// What the process has taken.
enum ProcessUsage {
  /// The number of bytes that are allocated.
  static let allocatedBytes: @Sendable () -> Int = {
    let heap = mallinfo2()
    return heap.uordblks + heap.hblkhd
  }

  /// The processor time of all threads.
  static func processorTime() -> Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
