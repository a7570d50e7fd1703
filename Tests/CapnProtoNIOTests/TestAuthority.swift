import CapnProtoTLS
import Crypto
import Foundation
import SwiftASN1
import X509

/// An authority that exists for one test, and what it issues.
struct TestAuthority {
  let certificate: Certificate
  private let key: Certificate.PrivateKey

  init(_ name: String) throws {
    key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let subject = try DistinguishedName { CommonName(name) }
    certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
      notValidBefore: Date() - 86_400, notValidAfter: Date() + 86_400, issuer: subject,
      subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
        Critical(KeyUsage(keyCertSign: true))
      }, issuerPrivateKey: key)
  }

  /// The authority's certificate in PEM.
  var pem: String { get throws { try certificate.serializeAsPEM().pemString } }

  /// Whoever trusts this authority.
  var trust: TLSTrust { get throws { try .authorities(pem) } }

  /// A certificate of the names, or of what its extension for them is to hold, with its key, in PEM.
  func issue(
    _ names: [GeneralName], encodedNames: [UInt8]? = nil, subject: String = "test",
    from start: TimeInterval = -3600, to end: TimeInterval = 3600
  ) throws -> (certificate: Certificate, identity: TLSIdentity, privateKey: String) {
    let own = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let issued = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: own.publicKey,
      notValidBefore: Date() + start, notValidAfter: Date() + end, issuer: certificate.subject,
      subject: try DistinguishedName { CommonName(subject) },
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        if let encodedNames {
          Certificate.Extension(
            oid: .X509ExtensionID.subjectAlternativeName, critical: false, value: encodedNames[...])
        } else {
          SubjectAlternativeNames(names)
        }
      }, issuerPrivateKey: key)
    let privateKey = try own.serializeAsPEM().pemString
    let identity = try TLSIdentity(
      certificates: issued.serializeAsPEM().pemString, privateKey: privateKey)
    return (issued, identity, privateKey)
  }
}
