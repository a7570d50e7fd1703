public import CapnProto

/// Carries the messages of one connection: in order, each as a whole.
public protocol MessageTransport: Sendable {
  /// Takes a message to send, and descriptors that go along with it: at most ``descriptorLimit``, beyond
  /// which they may be left out. Never blocks and never calls back.
  ///
  /// - Returns: whether so much has been taken that ``writeGathered()`` is to be called, once no lock is
  ///   held; false of a transport that gathers nothing.
  func send(_ message: consuming SharedMessage, with descriptors: [OpenDescriptor]) -> Bool
  /// How many descriptors of the operating system may go along with a message; 0 if none can.
  var descriptorLimit: Int { get }
  /// Follows `send` where that asked for it: what is there may be written now, so that the peer works on
  /// it while this side goes on. Called from any thread, and where no lock is held. What was taken is
  /// written soon also if this never comes.
  func writeGathered()
  /// Closes the connection once what was taken is out.
  func close()
  /// Stops reading from the peer, or goes on: so much of its calls waits that no more may come in.
  /// What has been read already may still be given to the connection.
  func setReading(_ isReading: Bool)
}

extension MessageTransport {
  /// None.
  public var descriptorLimit: Int { 0 }
  /// Does nothing: for transports that gather nothing, or write it soon anyway.
  public func writeGathered() {}
  /// Does nothing: for transports that cannot hold their peer back.
  public func setReading(_ isReading: Bool) {}
}

/// Where the work of one connection runs: in order, one piece after the other.
public protocol ConnectionExecutor: Sendable {
  /// Adds work to the end of the queue.
  func execute(_ work: @escaping @Sendable () -> Void)
  /// Whether the current code runs as a piece of this executor's work.
  var isCurrent: Bool { get }
  /// Runs tasks as pieces of this executor's work; nil if it cannot.
  var taskExecutor: (any TaskExecutor)? { get }
}

extension ConnectionExecutor {
  /// None: for executors that run no tasks.
  public var taskExecutor: (any TaskExecutor)? { nil }
}
