import CapnProtoRPC
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What went wrong with TLS, in words.
///
/// BoringSSL says why by name only, in the text of its errors, and not even that of a certificate that
/// it does not accept: then the certificate's dates decide between the likely reasons.
struct TLSFailure {
  /// Where it went wrong.
  struct Place: Sendable {
    /// What the server's certificate has to name; nil on the server's side.
    let serverName: String?
  }

  /// In words: of kind `failed` if one of the sides has to change first, else `disconnected`.
  let error: RPCError

  /// - Parameters:
  ///   - error: what went wrong.
  ///   - place: where.
  ///   - certificate: what the peer has shown.
  ///   - now: seconds since 1970.
  init(
    _ error: any Error, _ place: Place, certificate: NIOSSLCertificate?,
    now: Int = time(nil)
  ) {
    let owner = place.serverName == nil ? "client" : "server"
    if error as? NIOSSLExtraError == .failedToValidateHostname {
      self.error = .failed("the server's certificate is not for \(place.serverName ?? "it")")
      return
    }
    if error as? NIOSSLError == .uncleanShutdown {
      self.error = .disconnected("the peer closed the connection without an end of TLS")
      return
    }
    if error as? NIOSSLError == .handshakeFailed(.sslError([.eofDuringHandshake])) {
      self.error = .disconnected("the peer closed the connection during the TLS handshake")
      return
    }
    let text = "\(error)"
    if text.contains("CERTIFICATE_VERIFY_FAILED") {
      let fault =
        switch certificate {
        case let certificate? where certificate.notValidAfter < now: "has expired"
        case let certificate? where certificate.notValidBefore > now: "is not valid yet"
        default: "is not of an authority that is trusted here"
        }
      self.error = .failed("the \(owner)'s certificate \(fault)")
    } else if let reason = Self.reasons.first(where: { text.contains($0.name) }) {
      self.error = .failed(reason.words)
    } else {
      self.error = .disconnected(Self.name(in: text))
    }
  }

  /// What BoringSSL's names stand for.
  private static let reasons: [(name: String, words: String)] = [
    ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the client has shown no certificate, as it must here"),
    ("ALERT_CERTIFICATE_REQUIRED", "the server requires a certificate: connect with an identity"),
    ("ALERT_UNKNOWN_CA", "the peer does not trust the authority of this side's certificate"),
    ("ALERT_CERTIFICATE_EXPIRED", "to the peer, this side's certificate is not valid at this time"),
    ("ALERT_BAD_CERTIFICATE", "the peer does not accept this side's certificate"),
    ("ALERT_CERTIFICATE_UNKNOWN", "the peer does not accept this side's certificate"),
    ("ALERT_UNSUPPORTED_CERTIFICATE", "the peer does not accept this side's certificate"),
    ("ALERT_CERTIFICATE_REVOKED", "to the peer, this side's certificate is revoked"),
    ("ALERT_PROTOCOL_VERSION", "the peer takes no version of TLS that this side does"),
    ("UNSUPPORTED_PROTOCOL", "the peer has no version of TLS from 1.2 on"),
    ("ALERT_HANDSHAKE_FAILURE", "the peer cannot agree with this side on how to use TLS"),
    ("NO_SHARED_CIPHER", "the peer has no cipher that this side has"),
    ("WRONG_VERSION_NUMBER", "the peer does not speak TLS"),
  ]

  /// The name in BoringSSL's text, without the file that it arose in.
  private static func name(in text: String) -> String {
    guard let marked = text.ranges(of: "OPENSSL_internal:").first else { return text }
    let rest = text[marked.upperBound...]
    return "TLS failed: \(rest.prefix { $0.isUppercase || $0.isNumber || $0 == "_" })"
  }
}
