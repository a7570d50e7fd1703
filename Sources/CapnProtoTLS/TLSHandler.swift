import CapnProtoNIO
import CapnProtoRPC
import Crypto
import NIOCore
import NIOSSL
import NIOTLS
import SwiftASN1
import X509

/// Tells when TLS is open, and puts what goes wrong with it into words.
final class TLSHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let tls: NIOSSLHandler
  private let opened: EventLoopPromise<PeerCertificate?>
  private let place: TLSFailure.Place
  private let isIncoming: Bool
  private var isOpen = false

  private init(
    _ tls: NIOSSLHandler, _ opened: EventLoopPromise<PeerCertificate?>,
    _ place: TLSFailure.Place, isIncoming: Bool
  ) {
    self.tls = tls
    self.opened = opened
    self.place = place
    self.isIncoming = isIncoming
  }

  /// Adds TLS to the end of the pipeline.
  ///
  /// - Returns: a client's certificate, once TLS is open. A server has proven to be the host that was
  ///   asked for, and its certificate is of no more use.
  /// - Throws: what the pipeline does.
  static func add(
    _ tls: NIOSSLHandler, to channel: any Channel, _ place: TLSFailure.Place, isIncoming: Bool
  ) throws -> EventLoopFuture<PeerCertificate?> {
    let opened = channel.eventLoop.makePromise(of: PeerCertificate?.self)
    try channel.pipeline.syncOperations.addHandlers(
      tls, TLSHandler(tls, opened, place, isIncoming: isIncoming))
    return opened.futureResult
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted = event as? TLSUserEvent {
      isOpen = true
      do {
        opened.succeed(
          isIncoming ? try tls.peerCertificate.map(PeerCertificate.init) : nil)
      } catch {
        opened.fail(RPCError.disconnected("the peer's certificate cannot be read: \(error)"))
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let failure = TLSFailure(error, place, certificate: tls.peerCertificate).error
    if isOpen { context.fireErrorCaught(failure) } else { opened.fail(failure) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    opened.fail(RPCError.disconnected("the peer closed the connection during the TLS handshake"))
  }
}

extension PeerCertificate {
  fileprivate init(_ certificate: NIOSSLCertificate) throws {
    let derBytes = try certificate.toDERBytes()
    let parsed = try Certificate(derEncoded: derBytes)
    let alternatives = try parsed.extensions.subjectAlternativeNames
    let names = alternatives.map(Array.init) ?? []
    let known: [Name] = names.compactMap { name in
      switch name {
      case .dnsName(let name): .dns(name)
      case .uniformResourceIdentifier(let uri): .uri(uri)
      case .rfc822Name(let address): .email(address)
      case .ipAddress(let bytes): .ip(Array(bytes.bytes))
      default: nil
      }
    }
    let digits = Array("0123456789abcdef")
    let fingerprint = SHA256.hash(data: derBytes)
      .flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    self.init(
      names: known, subject: "\(parsed.subject)", fingerprint: String(fingerprint),
      derBytes: derBytes)
  }
}
