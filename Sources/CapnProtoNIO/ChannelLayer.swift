// Between a socket and the messages of a connection there may be layers: TLS, WebSocket. They are
// opened one after the other, from the socket on. Each looks first at what the peer speaks, and the
// connection is made when the last one is open, before anything that came through it is passed on.

import CapnProtoRPC
package import NIOCore

/// Something that lies between a socket and the messages of a connection.
package protocol ChannelLayer: Sendable {
  /// What the peer speaks below the layer.
  var language: PeerLanguage { get }
  /// Adds the layer's handlers to the end of the pipeline, on the event loop.
  ///
  /// - Returns: what the layer knows of the peer, once it is open: on the event loop, before it
  ///   passes anything on. Or an `RPCError` in words, if it cannot be opened.
  func open(on channel: any Channel, isIncoming: Bool) throws -> EventLoopFuture<PeerCertificate?>
}

/// Opens the layers, on the event loop of the channel, which is closed if that fails.
///
/// - Returns: what the layers know of the peer; at once if there are none.
func openLayers(
  _ layers: [any ChannelLayer], on channel: any Channel, isIncoming: Bool, within timeout: Duration
) -> EventLoopFuture<PeerCertificate?> {
  guard !layers.isEmpty else { return channel.eventLoop.makeSucceededFuture(nil) }
  let opened = channel.eventLoop.makePromise(of: PeerCertificate?.self)
  // Only the first outcome counts.
  let timer = channel.eventLoop.scheduleTask(in: TimeAmount(timeout.bounded)) {
    opened.fail(RPCError.disconnected("the connection was not ready within \(timeout)"))
  }
  channel.closeFuture.whenComplete { _ in
    opened.fail(RPCError.disconnected("the peer closed the connection before it was ready"))
  }
  openNext(layers[...], on: channel, isIncoming: isIncoming, known: nil, opened)
  opened.futureResult.whenComplete { result in
    timer.cancel()
    if case .failure = result { channel.closeAfterWrites() }
  }
  return opened.futureResult
}

private func openNext(
  _ layers: ArraySlice<any ChannelLayer>, on channel: any Channel, isIncoming: Bool,
  known: PeerCertificate?, _ opened: EventLoopPromise<PeerCertificate?>
) {
  guard let layer = layers.first else {
    opened.succeed(known)
    return
  }
  do {
    try channel.pipeline.syncOperations.addHandler(
      FirstBytesHandler(expected: layer.language, isIncoming: isIncoming) {
        opened.fail($0.error)
      })
    try layer.open(on: channel, isIncoming: isIncoming).whenComplete { result in
      switch result {
      case .success(let certificate):
        openNext(
          layers.dropFirst(), on: channel, isIncoming: isIncoming, known: known ?? certificate,
          opened)
      case .failure(let error): opened.fail(error)
      }
    }
  } catch {
    opened.fail(error)
  }
}

extension Channel {
  /// Closes the channel when what was written is out, and the peer has had a moment to read it.
  fileprivate func closeAfterWrites() {
    let limit = eventLoop.scheduleTask(in: .seconds(1)) { self.close(promise: nil) }
    // It would keep the channel.
    closeFuture.whenComplete { _ in limit.cancel() }
    close(mode: .output).whenFailure { _ in self.close(promise: nil) }
  }
}
