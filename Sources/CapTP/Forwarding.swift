// A call or its results that are sent elsewhere keep their content as it is, in a copy of the message's
// bytes: the cost depends on the message's size, and not on what its pointers make of it. What the message
// says about the connection that it came over (identifiers of questions, exports and imports) is erased in
// the copy.

package import CapnProto

extension DeliveredCall {
  /// Returns the call in a message of its own, to be sent elsewhere.
  ///
  /// No builder may follow the content of its params, which is not checked.
  ///
  /// - Throws: `DecodingError` if the message is invalid.
  package func copied() throws(DecodingError) -> OutgoingCall {
    let source = message.reader
    let call = try source.call
    let params = try call.params
    let builder = MessageBuilder(embedding: source._raw)
    builder.eraseLastSegment(beginningWith: CallBaggageMark.word)
    let target = try call.target
    if case .promisedAnswer(let answer) = try target.which { try builder.erase(answer: answer) }
    builder.erase(embedded: target._raw)
    try builder.erase(payload: params)
    builder.erase(embedded: call._raw)
    builder.erase(embedded: source._raw)
    try builder.build(Message.Builder.self) { (root) throws(DecodingError) in
      let copy = root.initCall()
      copy.interfaceId = call.interfaceId
      copy.methodId = call.methodId
      try copy.initParams().contentField.initPointer().embed(params.content)
    }
    try builder.check(capabilitiesOf: message)
    return OutgoingCall(builder)
  }
}

extension SharedMessage {
  /// Returns the results of a `Return` in a message of their own, to be sent elsewhere.
  ///
  /// No builder may follow the content of the results, which is not checked.
  ///
  /// - Throws: `DecodingError` if the message is invalid.
  package func copiedResults() throws(DecodingError) -> MessageBuilder {
    let source = reader
    let body = try source.`return`
    let results = try body.results
    let builder = MessageBuilder(embedding: source._raw)
    builder.eraseLastSegment(beginningWith: CallBaggageMark.word)
    try builder.erase(payload: results)
    builder.erase(embedded: body._raw)
    builder.erase(embedded: source._raw)
    try builder.build(Message.Builder.self) { (root) throws(DecodingError) in
      try root.initReturn().initResults().contentField.initPointer().embed(results.content)
    }
    try builder.check(capabilitiesOf: self)
    return builder
  }
}

/// The word that begins a last segment with what observers send along with a call, to the next vat and no
/// further.
package enum CallBaggageMark {
  /// Made up once; a segment of another kind begins with a word like this once in 2^64.
  package static let word: UInt64 = 0x9d3c_61f4_b82e_07a5
}

extension MessageBuilder {
  /// Checks that a copy has no more capabilities than the message: one that is copied object by object, as it has
  /// many segments, gets one for each pointer.
  fileprivate func check(capabilitiesOf message: SharedMessage) throws(DecodingError) {
    guard capabilityCount <= message.capabilityCount else { throw .traversalLimitExceeded }
  }

  /// Erases the place of an answer in the embedded message.
  fileprivate func erase(answer: PromisedAnswer.Reader) throws(DecodingError) {
    erase(embedded: try answer.transform._list)
    erase(embedded: answer._raw)
  }

  /// Erases a payload in the embedded message, but for its content.
  fileprivate func erase(payload: Payload.Reader) throws(DecodingError) {
    let descriptors = try payload.capTable
    for index in descriptors.indices {
      switch try descriptors[index].which {
      case .receiverAnswer(let answer): try erase(answer: answer)
      case .thirdPartyHosted(let other): erase(embedded: other._raw)
      default: break
      }
    }
    erase(embedded: descriptors._list)
    erase(embedded: payload._raw)
  }
}

extension Connection {
  /// Tells the peer that a message is not understood here, with the message.
  mutating func sendUnimplemented(_ message: Message.Reader) throws {
    let builder = MessageBuilder(embedding: message._raw)
    try builder.build(Message.Builder.self) { (root) throws(DecodingError) in
      try root.unimplementedField.initPointer().embed(message._raw)
    }
    guard oversize(builder, "a message that is not understood here") == nil else {
      throw ProtocolViolation("a message is not understood here and too long to be sent back")
    }
    send(builder)
  }
}
