public import CapnProto
import DequeModule

/// What a connection's tables hold at one moment, for people who look for what a program waits for.
public struct ConnectionTables: Hashable, Sendable {
  /// The tables of rpc.capnp, and what waits besides.
  public enum Table: String, Hashable, Sendable, CaseIterable {
    /// Calls to the peer.
    case questions
    /// Calls of the peer.
    case answers
    /// Capabilities that the peer holds.
    case exports
    /// Capabilities of the peer that this side holds.
    case imports
    /// Calls that wait for the peer to send a `Disembargo` back.
    case embargoes
    /// Calls that wait for a promise, for an embargo, or for others to end.
    case heldCalls
  }

  /// A row of a table.
  public struct Entry: Hashable, Sendable {
    /// The table.
    public var table: Table
    /// The number in the table; of a held call, that of the promise that it waits for.
    public var id: UInt32
    /// The method that is called; nil for what is no call, and for a bootstrap.
    public var method: CalledMethod?
    /// How long it has been there; nil if that is not known.
    public var age: Duration?
    /// What is the matter with it, in words.
    public var state: String
  }

  /// The rows, table by table, by number.
  public var entries: [Entry] = []
  /// Messages that the connection keeps back while it is corked.
  public package(set) var corkedMessages = 0

  /// The rows of the table.
  public func entries(in table: Table) -> [Entry] { entries.filter { $0.table == table } }
}

/// A method, as a `Call` in rpc.capnp names it.
public struct CalledMethod: Hashable, Sendable {
  /// The interface that declares it.
  public var interfaceID: UInt64
  /// Its ordinal there.
  public var methodID: UInt16

  /// The method of the interface.
  public init(interfaceID: UInt64, methodID: UInt16) {
    self.interfaceID = interfaceID
    self.methodID = methodID
  }
}

extension CalledMethod {
  init(_ call: Call.Reader) {
    self.init(interfaceID: call.interfaceId, methodID: call.methodId)
  }
}

extension DeliveredCall {
  fileprivate var method: CalledMethod? {
    guard let call = try? message.reader.call else { return nil }
    return CalledMethod(call)
  }
}

extension Connection {
  /// What the tables hold.
  ///
  /// - Parameter describe: says what a capability of this side is.
  /// - Returns: their rows.
  public func tables(describing describe: (any CapabilityHook) -> String) -> ConnectionTables {
    var tables = ConnectionTables()
    let now = clock()
    func add(
      _ table: ConnectionTables.Table, _ id: some TableID, _ method: CalledMethod? = nil,
      since: Duration?, _ state: [String?]
    ) {
      tables.entries.append(
        ConnectionTables.Entry(
          table: table, id: id.rawValue, method: method, age: since.map { now - $0 },
          state: state.compactMap(\.self).joined(separator: ", ")))
    }
    for id in questions.ids {
      guard let question = questions[id] else { continue }
      add(.questions, id, question.method, since: question.since, question.inWords)
    }
    for (id, answer) in answers.entries {
      add(.answers, id, answer.method, since: answer.since, answer.inWords)
    }
    for id in exports.ids {
      guard let export = exports[id] else { continue }
      add(
        .exports, id, since: export.since,
        [
          own(export.hook).map { state($0).inWords } ?? describe(export.hook),
          export.isPromise ? "a promise" : nil, "held \(export.references)x",
        ])
    }
    for (id, entry) in imports.entries {
      add(
        .imports, id, since: entry.since,
        [entry.isPromise ? "a promise" : nil, "given \(entry.references)x"])
    }
    for id in embargoes.ids {
      guard let embargo = embargoes[id] else { continue }
      add(
        .embargoes, id, since: embargo.since,
        [
          embargo.isReturned ? "came back, behind calls that go first" : "waits for the peer",
          "\(nodes[embargo.node]?.queue.count ?? 0) calls wait for it",
        ])
    }
    for id in nodes.ids {
      guard let node = nodes[id] else { continue }
      for call in node.queue {
        let (method, since) = labels(of: call)
        add(.heldCalls, id, method, since: since, [call.inWords, node.state.inWords])
      }
    }
    for case .deliver(let call, _, let token, _) in held {
      add(
        .heldCalls, token.id, call.method,
        since: answers[token.id]?.since,
        ["answer \(token.id.rawValue)", "waits as too many words of calls are in flight"])
    }
    return tables
  }

  private func labels(of call: QueuedCall) -> (CalledMethod?, since: Duration?) {
    switch call {
    case .own(let call, _): (call.method, nil)
    case .peers(_, let token): (answers[token.id]?.method, answers[token.id]?.since)
    case .echo: (nil, nil)
    }
  }
}

extension Question {
  fileprivate var inWords: [String?] {
    let progress: String
    if let takesFrom {
      progress = "takes the outcome of answer \(takesFrom.rawValue)"
    } else if isReturned {
      progress = "has returned, its results are called"
    } else if isFinished {
      progress = "was given up, waits for the Return"
    } else {
      progress = "waits for the Return"
    }
    switch asker {
    case .answer(let token): return [progress, "for answer \(token.id.rawValue)"]
    case .caller: return [progress]
    case nil where method != nil && !isFinished && !isReturned:
      return [progress, "only its pipelined results are wanted"]
    case nil: return [progress]
    }
  }
}

extension Answer {
  fileprivate var inWords: [String?] {
    guard outcome == nil else { return ["has returned, waits for the Finish"] }
    let progress =
      switch place {
      case nil: "runs"
      case .held: "is held back"
      case .queued(let node): "waits for promise \(node.rawValue)"
      case .asked(let question): "was passed on as question \(question.rawValue)"
      }
    return [
      progress, isFinished ? "the peer has given it up" : nil,
      nodes.isEmpty ? nil : "\(nodes.count) of its results are called already",
      taker.map { "question \($0.rawValue) takes its outcome" },
    ]
  }
}

extension QueuedCall {
  fileprivate var inWords: String {
    switch self {
    case .own: "a call of this side"
    case .peers(_, let token): "answer \(token.id.rawValue)"
    case .echo(let id): "the peer's disembargo \(id.rawValue)"
    }
  }
}

extension NodeState {
  fileprivate var inWords: String {
    switch self {
    case .imported(let id): "import \(id.rawValue)"
    case .pipelined(let question, _): "a result of question \(question.rawValue)"
    case .alias: "another reference"
    case .embargoed: "waits for an embargo"
    case .awaiting(let answer, _): "waits for a result of answer \(answer.rawValue)"
    case .local: "an object of this side"
    case .broken(let error): "broken by \(error.kind)"
    }
  }
}
