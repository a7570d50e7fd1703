extension Duration {
  /// The duration, but not less than zero nor more than 100 years: an instant that is so far from now can be
  /// computed, which that of the longest durations cannot.
  package var bounded: Duration { min(max(self, .zero), .seconds(100 * 365 * 86_400)) }
}
