/// Whether the event loop of a connection looks for what the peer sends next, after it has sent something
/// itself, before it sleeps. A thread that sleeps takes some 20 to 100 µs to be woken, at each end: most of
/// what a call takes between two processes of one machine.
///
/// What else is on the event loop waits meanwhile, timers included, but for what the connection has to send.
/// None of it does anything where there is one processor.
public enum BusyPolling: Hashable, Sendable {
  /// For up to 200 µs at a time, while that pays: the connection is the only one on its event loop, and of
  /// a processor's time no more than a thirty-second is spent in vain, or beyond the 100 µs that it may
  /// take to be woken.
  case adaptive
  /// For so long after each message, in vain or not. It takes a processor for that time, so it is for a
  /// connection that has the event loop for itself, and for times much shorter than those that limit
  /// silence, for instance.
  case always(Duration)
  /// Not at all.
  case never
}
