/// What protects a connection that this side makes. The library `CapnProtoTLS` makes them.
public struct ConnectorSecurity: Sendable {
  /// The layer for a connection to the address.
  package let layer: @Sendable (RPCAddress) throws -> any ChannelLayer

  package init(_ layer: @escaping @Sendable (RPCAddress) throws -> any ChannelLayer) {
    self.layer = layer
  }
}

/// What protects the connections of a listener. The library `CapnProtoTLS` makes them.
public struct ListenerSecurity: Sendable {
  package let layer: any ChannelLayer

  package init(_ layer: any ChannelLayer) { self.layer = layer }
}

/// The certificate that a peer has proven to hold, and that this side has verified.
public struct PeerCertificate: Hashable, Sendable {
  /// What a certificate says that its holder is (RFC 5280, section 4.2.1.6).
  public enum Name: Hashable, Sendable {
    /// The name of a host.
    case dns(String)
    /// A URI, such as `spiffe://example.org/billing`.
    case uri(String)
    /// An address for mail.
    case email(String)
    /// The bytes of an IP address, 4 or 16.
    case ip([UInt8])
  }

  /// What the holder is, in the certificate's order (subject alternative names).
  public let names: [Name]
  /// The subject's distinguished name, as RFC 4514 writes it.
  public let subject: String
  /// The SHA-256 of the certificate, in hexadecimal: its fingerprint.
  public let fingerprint: String
  /// The certificate, DER-encoded.
  public let derBytes: [UInt8]

  package init(names: [Name], subject: String, fingerprint: String, derBytes: [UInt8]) {
    self.names = names
    self.subject = subject
    self.fingerprint = fingerprint
    self.derBytes = derBytes
  }
}
