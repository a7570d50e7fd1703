import CryptoExtras

/// What is kept of a password: a salt, and the key that scrypt derives with it (RFC 7914).
public struct PasswordVerifier: Sendable {
  let salt: [UInt8]
  let key: [UInt8]
  let rounds: Int
  let blockSize: Int
  let parallelism: Int

  /// What a check costs: rounds, block size and parallelism.
  var cost: [Int] { [rounds, blockSize, parallelism] }

  /// Why it cannot be used; nil if it can.
  ///
  /// The bounds keep a check below 64 MiB, in a guest that has 256 MiB.
  var problem: String? {
    if salt.count < 8 || salt.count > 64 { return "the salt must have 8 to 64 bytes" }
    if key.count < 16 || key.count > 64 { return "the key must have 16 to 64 bytes" }
    if rounds < 1024 || rounds > 1 << 16 || rounds & (rounds - 1) != 0 {
      return "the rounds must be a power of two from 1024 to 65536"
    }
    if blockSize < 1 || blockSize > 8 { return "the block size must be 1 to 8" }
    if parallelism < 1 || parallelism > 4 { return "the parallelism must be 1 to 4" }
    return nil
  }

  /// A verifier that no password fits, of the usual cost.
  static let unmatchable = PasswordVerifier(
    salt: [UInt8](repeating: 0x5a, count: 16), key: [], rounds: 16384, blockSize: 8,
    parallelism: 1)

  /// A verifier that no password fits, and that takes as long to find out.
  var disarmed: PasswordVerifier {
    PasswordVerifier(
      salt: salt, key: [], rounds: rounds, blockSize: blockSize, parallelism: parallelism)
  }

  /// Whether the password is the one; takes long on purpose.
  func matches(_ password: [UInt8]) -> Bool {
    let derived = try? KDF.Scrypt.deriveKey(
      from: password, salt: salt, outputByteCount: key.isEmpty ? 32 : key.count,
      rounds: rounds,
      blockSize: blockSize, parallelism: parallelism)
    guard let derived, !key.isEmpty else { return false }
    // SymmetricKey compares in constant time.
    return derived == SymmetricKey(data: key)
  }
}
