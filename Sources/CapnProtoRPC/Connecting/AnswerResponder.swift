import CapTP
import CapnProto
import Logging

/// Answers a call of the peer.
struct AnswerResponder: Responder {
  let connection: RPCConnection
  let answer: AnswerToken

  func returnResults(_ message: consuming MessageBuilder) {
    connection.returnResults(message, for: answer)
  }

  func returnError(_ error: RPCError) { connection.returnError(error, for: answer) }

  var logger: Logger { connection.logger }

  func noteCopy(words: Int) { connection.noteCopy(words: words, for: answer) }
}
