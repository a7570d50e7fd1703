// The objects that clients of a server hold. The client uses Counter and Sequence too, for
// capabilities of its own.

import CapnProto
import CapnProtoRPC
import Synchronization

/// A number that adds up.
final class Total: Sendable {
  private let value: Mutex<Int64>

  init(_ start: Int64) { value = Mutex(start) }

  func add(_ n: Int64) -> Int64 {
    value.withLock { value in
      value &+= n
      return value
    }
  }
}

final class CounterObject: Counter.Server {
  private let life: Life
  private let total: Total

  init(_ census: Census, start: Int64) {
    life = Life(census)
    total = Total(start)
  }

  func value(_ call: ValueCall) async throws { call.reply { $0.value = total.add(0) } }

  func add(_ call: AddCall) async throws {
    let sum = try total.add(call.params.n)
    call.reply { $0.value = sum }
  }
}

final class NamedCounterObject: NamedCounter.Server {
  private let life: Life
  private let total: Total
  private let label: Mutex<String>

  init(_ census: Census, name: String, start: Int64) {
    life = Life(census)
    total = Total(start)
    label = Mutex(name)
  }

  func value(_ call: ValueCall) async throws { call.reply { $0.value = total.add(0) } }

  func add(_ call: AddCall) async throws {
    let sum = try total.add(call.params.n)
    call.reply { $0.value = sum }
  }

  func name(_ call: NameCall) async throws {
    let name = label.withLock { $0 }
    call.reply { $0.name = name }
  }

  func rename(_ call: RenameCall) async throws {
    let new = try call.params.name.string
    let old = label.withLock { label in
      defer { label = new }
      return label
    }
    call.reply { $0.old = old }
  }
}

final class SequenceObject: Sequence.Server {
  private let life: Life
  private let count = Mutex<UInt32>(0)

  init(_ census: Census) { life = Life(census) }

  func next(_ call: NextCall) async throws {
    let expected = try call.params.expected
    let n = try count.withLock { count in
      guard count == expected else {
        throw RPCError.failed("out of order: expected \(expected), is \(count)")
      }
      defer { count += 1 }
      return count
    }
    call.reply { $0.n = n }
  }
}

final class SinkObject: Sink.Server {
  private struct State {
    var bytes: UInt64 = 0
    var running: UInt32 = 0
    var atOnce: UInt32 = 0
  }
  private let life: Life
  private let state = Mutex(State())

  init(_ census: Census) { life = Life(census) }

  func write(_ call: WriteCall) async throws {
    let size = try call.params.data.count
    guard size > 0 else { throw RPCError.failed("nothing to write") }
    state.withLock { state in
      state.running += 1
      state.atOnce = max(state.atOnce, state.running)
    }
    try await Task.sleep(for: .milliseconds(1))
    state.withLock { state in
      state.running -= 1
      state.bytes += UInt64(size)
    }
  }

  func done(_ call: DoneCall) async throws {
    let state = state.withLock { $0 }
    call.reply {
      $0.bytes = state.bytes
      $0.atOnce = state.atOnce
    }
  }
}

final class NodeObject: Node.Server {
  private let life: Life
  private let fullPath: String
  private let depth: UInt32

  private init(_ census: Census, path: String, depth: UInt32) {
    life = Life(census)
    fullPath = path
    self.depth = depth
  }

  /// Makes a node after the delay. A root has no parent.
  static func make(
    _ census: Census, named name: String, below parent: NodeObject? = nil, after delay: UInt32
  ) async throws -> Node.Client {
    if name.isEmpty { throw RPCError.failed("a node needs a name") }
    try await Task.sleep(for: .milliseconds(Int(delay)))
    let node =
      if let parent {
        NodeObject(census, path: "\(parent.fullPath)/\(name)", depth: parent.depth + 1)
      } else {
        NodeObject(census, path: name, depth: 0)
      }
    return Node.Client.server(node)
  }

  func child(_ call: ChildCall) async throws {
    let name = try call.params.name.string
    let delay = try call.params.afterMilliseconds
    let node = try await Self.make(life.census, named: name, below: self, after: delay)
    call.reply { $0.node = node }
  }

  func path(_ call: PathCall) async throws { call.reply { $0.path = fullPath } }

  func place(_ call: PlaceCall) async throws {
    call.reply {
      let place = $0.initPlace()
      place.label = "place of \(fullPath)"
      let inner = place.initInner()
      inner.depth = depth
      inner.node = .server(self)
    }
  }
}

final class ResolverObject: Resolver.Server {
  private let life: Life
  private let resolver: Mutex<CapabilityResolver?>

  init(_ census: Census, _ resolver: CapabilityResolver) {
    life = Life(census)
    self.resolver = Mutex(resolver)
  }

  private func settle() throws -> CapabilityResolver {
    let unused = resolver.withLock { $0.take() }
    guard let unused else { throw RPCError.failed("already settled") }
    return unused
  }

  func fulfil(_ call: FulfilCall) async throws {
    let counter = try call.params.counter
    let resolver = try settle()
    if let counter {
      resolver.resolve(Capability(counter))
    } else {
      resolver.reject(.failed("the promise was fulfilled with null"))
    }
  }

  func reject(_ call: RejectCall) async throws {
    let error = try RPCError(call.params.kind.errorKind, call.params.reason.string)
    try settle().reject(error)
  }
}
