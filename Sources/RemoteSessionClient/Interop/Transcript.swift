import CapnProto
import Synchronization

/// What a proof did, step by step, without secrets.
public final class Transcript: Sendable {
  /// A step, and how it ended.
  public struct Step: Hashable, Sendable {
    /// What was to be shown.
    public var name: String
    /// Whether it was.
    public var passed: Bool
    /// What was seen.
    public var detail: String
    /// How long it took, in milliseconds.
    public var milliseconds: Int
  }
  private let secrets: [String]
  private let taken = Mutex<[Step]>([])
  private let show: @Sendable (String) -> Void

  /// A transcript without steps.
  ///
  /// - Parameters:
  ///   - secrets: texts that are never written: each is replaced with `[redacted]`.
  ///   - show: gets each line as it is written.
  public init(secrets: [String], show: @escaping @Sendable (String) -> Void = { _ in }) {
    self.secrets = secrets.filter { !$0.isEmpty }
    self.show = show
  }

  /// The steps that were taken.
  public var steps: [Step] { taken.withLock { $0 } }
  /// Whether every step passed, of at least one.
  public var passed: Bool { taken.withLock { !$0.isEmpty && $0.allSatisfy(\.passed) } }
  /// How many steps passed and failed, as in `12 passed, 0 failed`.
  public var summary: String {
    let passed = steps.count { $0.passed }
    return "\(passed) passed, \(steps.count - passed) failed"
  }
  /// The whole transcript, one line for each step.
  public var text: String {
    steps.map { Self.line($0) + "\n" }.joined() + summary + "\n"
  }

  /// Takes a step: passes if the body returns, with what it returns as the detail.
  ///
  /// - Returns: whether it passed.
  @discardableResult
  func step(_ name: String, _ body: () async throws -> String) async -> Bool {
    let start = ContinuousClock.now
    let outcome: (Bool, String)
    do {
      outcome = (true, try await body())
    } catch {
      outcome = (false, "\(error)")
    }
    let elapsed = (ContinuousClock.now - start) / .milliseconds(1)
    let step = Step(
      name: redacted(name), passed: outcome.0, detail: redacted(outcome.1),
      milliseconds: Int(elapsed))
    taken.withLock { $0.append(step) }
    show(Self.line(step))
    return step.passed
  }

  private static func line(_ step: Step) -> String {
    let detail = step.detail.isEmpty ? "" : " - \(step.detail)"
    return "\(step.passed ? "pass" : "FAIL") \(step.name)\(detail) (\(step.milliseconds) ms)"
  }

  private func redacted(_ text: String) -> String {
    var text = text
    for secret in secrets {
      var redacted = ""
      var rest = text[...]
      while let range = rest.firstRange(of: secret) {
        redacted += rest[..<range.lowerBound] + "[redacted]"
        rest = rest[range.upperBound...]
      }
      text = redacted + rest
    }
    // Text of the peer is in it.
    return text.escapedForDisplay
  }
}

/// What a step saw instead of what it was to show.
struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Fails the step unless the condition holds.
func expect(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(Unexpected) {
  if !condition { throw Unexpected(otherwise()) }
}

/// The error that the body throws, which must be of the type.
func expectError<Failure: Error>(
  _ type: Failure.Type, _ body: () async throws -> Void
) async throws -> Failure {
  do {
    try await body()
  } catch let error as Failure {
    return error
  } catch {
    throw Unexpected("expected a \(type), got: \(error)")
  }
  throw Unexpected("expected a \(type), but the call succeeded")
}
