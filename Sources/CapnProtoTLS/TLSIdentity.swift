import CapnProtoRPC
import NIOSSL

/// What a side shows that it is: a certificate, and the private key that proves it.
public struct TLSIdentity: Sendable {
  let chain: [NIOSSLCertificate]
  let key: NIOSSLPrivateKey

  /// An identity from texts in PEM.
  ///
  /// - Parameters:
  ///   - certificates: the certificate, followed by those of the authorities between it and the root
  ///     that peers trust.
  ///   - privateKey: the certificate's private key, without a password.
  /// - Throws: `RPCError` that says which of the texts cannot be read.
  public init(certificates: String, privateKey: String) throws {
    chain = try read("the certificates") {
      try NIOSSLCertificate.fromPEMBytes(Array(certificates.utf8))
    }
    key = try read("the private key") {
      try NIOSSLPrivateKey(bytes: Array(privateKey.utf8), format: .pem)
    }
  }

  /// An identity from files in PEM, as ``init(certificates:privateKey:)``.
  public init(certificateFile: String, privateKeyFile: String) throws {
    chain = try read(certificateFile) { try NIOSSLCertificate.fromPEMFile(certificateFile) }
    key = try read(privateKeyFile) { try NIOSSLPrivateKey(file: privateKeyFile, format: .pem) }
  }
}

/// Whose certificates a side takes.
public struct TLSTrust: Sendable {
  let roots: NIOSSLTrustRoots

  /// Those of the authorities that the system trusts.
  public static let system = TLSTrust(roots: .default)

  /// Those of the authorities in the text, in PEM, and of no others. A certificate that has no
  /// authority but itself is trusted if it is in the text.
  ///
  /// - Throws: `RPCError` if the text holds none that can be read.
  public static func authorities(_ certificates: String) throws -> TLSTrust {
    let read = try read("the authorities") {
      try NIOSSLCertificate.fromPEMBytes(Array(certificates.utf8))
    }
    return TLSTrust(roots: .certificates(read))
  }

  /// Those of the authorities in the file, as ``authorities(_:)``.
  public static func authorities(file: String) throws -> TLSTrust {
    TLSTrust(roots: .certificates(try read(file) { try NIOSSLCertificate.fromPEMFile(file) }))
  }
}

/// Whether a listener's clients show certificates of their own (mutual TLS).
public enum ClientCertificates: Sendable {
  /// They are not asked for them.
  case ignored
  /// They are asked. One without a certificate is let in, one whose certificate is not trusted is not.
  case optional(TLSTrust)
  /// One without a certificate that is trusted is not let in.
  case required(TLSTrust)
}

/// What the body reads, or an error in words. What was to be read stays out of them.
private func read<Value>(_ what: String, _ body: () throws -> Value) throws(RPCError) -> Value {
  do {
    return try body()
  } catch {
    throw .failed("\(what) cannot be read as PEM: \(error)")
  }
}
