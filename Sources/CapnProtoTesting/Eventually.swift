/// Waits until the condition holds, for at most a minute: as long as a machine may take that has much
/// else to do.
///
/// - Returns: whether it holds.
public func eventually(_ condition: () async -> Bool) async -> Bool {
  let end = ContinuousClock.now + .seconds(60)
  while await !condition() {
    if ContinuousClock.now > end { return false }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return true
}
