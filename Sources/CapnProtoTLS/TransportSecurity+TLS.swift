public import CapnProtoNIO
import CapnProtoRPC
import NIOCore
import NIOSSL

extension ConnectorSecurity {
  /// TLS, version 1.2 or later, with a server whose certificate is trusted and names the host.
  ///
  /// - Parameters:
  ///   - trust: whose certificates are taken.
  ///   - identity: what this side shows if the server asks (mutual TLS); nil for nothing.
  ///   - serverName: the name that the server's certificate must have; nil for the host that is
  ///     connected to. For a Unix socket it must be given.
  /// - Returns: what `RPCConnector.connect` takes.
  /// - Throws: `RPCError` if the identity's key is not that of its certificate, say.
  public static func tls(
    trusting trust: TLSTrust = .system, identity: TLSIdentity? = nil, serverName: String? = nil
  ) throws -> ConnectorSecurity {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.trustRoots = trust.roots
    if let identity {
      configuration.certificateChain = identity.chain.map { .certificate($0) }
      configuration.privateKey = .privateKey(identity.key)
    }
    let context = try context(configuration)
    return ConnectorSecurity { address in
      TLSClientLayer(context: context, name: try ServerName(serverName, of: address))
    }
  }
}

extension ListenerSecurity {
  /// TLS, version 1.2 or later.
  ///
  /// - Parameters:
  ///   - identity: what the listener shows.
  ///   - clients: whether clients show certificates as well: `IncomingConnection.certificate` is
  ///     then what the client has shown.
  /// - Returns: what `RPCListener.listen` takes.
  /// - Throws: `RPCError` if the identity's key is not that of its certificate, say.
  public static func tls(
    identity: TLSIdentity, clients: ClientCertificates = .ignored
  ) throws -> ListenerSecurity {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: identity.chain.map { .certificate($0) },
      privateKey: .privateKey(identity.key))
    configuration.minimumTLSVersion = .tlsv12
    switch clients {
    case .ignored: break
    case .optional(let trust):
      configuration.certificateVerification = .optionalVerification
      configuration.trustRoots = trust.roots
    case .required(let trust):
      configuration.certificateVerification = .noHostnameVerification
      configuration.trustRoots = trust.roots
    }
    return ListenerSecurity(TLSServerLayer(context: try context(configuration)))
  }
}

private func context(_ configuration: TLSConfiguration) throws(RPCError) -> NIOSSLContext {
  do {
    return try NIOSSLContext(configuration: configuration)
  } catch {
    throw .failed("TLS cannot be set up, perhaps as the key is not the certificate's: \(error)")
  }
}

/// What a server's certificate must name.
struct ServerName: Sendable {
  /// In words.
  let text: String
  /// The name that is asked for and must be there; nil for the address of the socket.
  let host: String?

  init(_ name: String?, of address: RPCAddress) throws(RPCError) {
    switch (name, address) {
    case (let name?, _): text = name
    case (nil, .tcp(let host, _)): text = host
    case (nil, .unix):
      throw .failed("TLS over a Unix socket needs the name that the server's certificate has")
    }
    let isIP = (try? SocketAddress(ipAddress: text, port: 0)) != nil
    guard !isIP || name == nil else {
      throw .failed("\"\(text)\" is an address, and not a name that a certificate is checked for")
    }
    host = isIP ? nil : text
  }
}

private struct TLSClientLayer: ChannelLayer {
  let context: NIOSSLContext
  let name: ServerName
  var language: PeerLanguage { .tls }

  func open(on channel: any Channel, isIncoming: Bool) throws -> EventLoopFuture<PeerCertificate?> {
    try TLSHandler.add(
      NIOSSLClientHandler(context: context, serverHostname: name.host), to: channel,
      TLSFailure.Place(serverName: name.text), isIncoming: isIncoming)
  }
}

private struct TLSServerLayer: ChannelLayer {
  let context: NIOSSLContext
  var language: PeerLanguage { .tls }

  func open(on channel: any Channel, isIncoming: Bool) throws -> EventLoopFuture<PeerCertificate?> {
    try TLSHandler.add(
      NIOSSLServerHandler(context: context), to: channel, TLSFailure.Place(serverName: nil),
      isIncoming: isIncoming)
  }
}
