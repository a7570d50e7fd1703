extension ContinuousClock.Instant {
  /// Returns the instant that is the duration from now, but not before now nor in more than 100 years: that of
  /// the longest durations cannot be computed.
  static func after(_ duration: Duration) -> ContinuousClock.Instant {
    .now + min(max(duration, .zero), .seconds(100 * 365 * 86_400))
  }
}
