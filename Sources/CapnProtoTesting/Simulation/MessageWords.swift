import CapTP
import CapnProto

extension MessageReader {
  /// An RPC message in words, for transcripts.
  var inWords: String { (try? root(as: Message.Reader.self).inWords) ?? "an invalid message" }
}

extension Message.Reader {
  fileprivate var inWords: String {
    get throws(DecodingError) {
      switch try which {
      case .abort(let error): return "abort: \(try error.reason.string)"
      case .bootstrap(let body): return "bootstrap \(body.questionId)"
      case .call(let body):
        return "call \(body.questionId) (\(body.interfaceId)) of \(try body.target.inWords)"
          + (try body.params.inWords)
      case .`return`(let body):
        switch try body.which {
        case .exception(let error):
          return "return \(body.answerId): \(error.type) \(try error.reason.string)"
        case .results(let payload):
          return "return \(body.answerId):" + (try payload.inWords)
        case .canceled: return "return \(body.answerId): canceled"
        case .resultsSentElsewhere: return "return \(body.answerId): sent elsewhere"
        case .takeFromOtherQuestion(let other): return "return \(body.answerId): take \(other)"
        default: return "return \(body.answerId) of another kind"
        }
      case .finish(let body):
        return "finish \(body.questionId)\(body.releaseResultCaps ? " and release" : "")"
      case .release(let body): return "release \(body.id) × \(body.referenceCount)"
      case .disembargo(let body):
        switch try body.context.which {
        case .senderLoopback(let id): return "disembargo \(id) of \(try body.target.inWords)"
        case .receiverLoopback(let id): return "disembargoed \(id) of \(try body.target.inWords)"
        default: return "disembargo of another kind"
        }
      case .resolve(let body):
        if case .cap(let cap) = try body.which {
          return "resolve \(body.promiseId): \(try cap.inWords)"
        }
        return "resolve \(body.promiseId): broken"
      case .unimplemented: return "unimplemented"
      default: return "another message"
      }
    }
  }
}

extension MessageTarget.Reader {
  fileprivate var inWords: String {
    get throws(DecodingError) {
      switch try which {
      case .importedCap(let id): return "export \(id)"
      case .promisedAnswer(let answer): return "answer \(answer.questionId)"
      case .unknown(let number): return "target of kind \(number)"
      }
    }
  }
}

extension Payload.Reader {
  fileprivate var inWords: String {
    get throws(DecodingError) {
      var words = ""
      let table = try capTable
      for index in table.indices { words += " [\(try table[index].inWords)]" }
      return words
    }
  }
}

extension CapDescriptor.Reader {
  fileprivate var inWords: String {
    get throws(DecodingError) {
      switch try which {
      case .none: return "none"
      case .senderHosted(let id): return "hosted \(id)"
      case .senderPromise(let id): return "promise \(id)"
      case .receiverHosted(let id): return "yours \(id)"
      case .receiverAnswer(let answer): return "answer \(answer.questionId)"
      default: return "another capability"
      }
    }
  }
}
