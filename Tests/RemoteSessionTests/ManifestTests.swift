import CapTP
import CapnProto
import GuestServices
import RemoteSessionSchema
import Testing

@Suite struct ManifestTests {
  private func problem(_ change: (BootManifest.Builder) -> Void) -> String {
    let error = #expect(throws: ManifestError.self) {
      _ = try SystemManifest(encoded: TestGuest.manifest(change))
    }
    return error?.description ?? ""
  }

  @Test func aGrantThatNoServiceOffersIsNamed() {
    #expect(
      problem { $0.profiles[1].grants[1] = "rootShell" }
        == "the boot manifest is not usable: profile 'anonymous' grants 'rootShell', which no "
        + "service offers; there are: chat, session, systemInfo")
  }

  @Test func mistakesAreNamed() {
    #expect(problem { $0.accounts[0].profiles[0] = "x" }.contains("'x', which is not defined"))
    #expect(problem { $0.accounts[1].name = "operator" }.contains("two: account 'operator'"))
    #expect(problem { $0.listeners[0].guestPort = 0 }.contains("no port"))
    #expect(problem { _ = $0.initListeners(0) }.contains("no listener"))
    #expect(problem { $0.accounts[0].password.rounds = 1000 }.contains("power of two"))
    #expect(problem { $0.accounts[0].password.salt = [1] }.contains("salt"))
    #expect(problem { $0.profiles[0].methods[0] = .passkey }.contains("passkey"))
    #expect(problem { $0.initLimits().loginAttempts = 0 }.contains("limit of 0"))
    #expect(problem { $0.initLimits().secondsWithoutSession = 0 }.contains("limit of 0"))
    #expect(problem { $0.listeners[0].connections = 0 }.contains("limit of 0"))
    #expect(problem { $0.accounts[1].password.rounds = 2048 }.contains("which accounts exist"))
  }

  @Test func aListenersLimitsAreThoseOfItsConnections() throws {
    let manifest = try SystemManifest(
      encoded: TestGuest.manifest {
        $0.listeners[0].messageKiB = 64
        $0.listeners[0].unwrittenKiB = 128
        $0.listeners[0].calls = 3
        $0.listeners[0].connections = 2
      })
    let listener = try #require(manifest.listeners.first)
    #expect(listener.connections == 2)
    #expect(listener.limits.messageWords == 8192)
    #expect(listener.limits.wordsInFlight == 16384)
    #expect(listener.limits.unwrittenBytes == 131_072)
    #expect(listener.limits.answers == 3)
  }

  @Test func bytesThatAreNoManifestAreRefused() {
    for bytes: [UInt8] in [[], [1, 2, 3], Array(repeating: 0xff, count: 64)] {
      #expect(throws: ManifestError.self) { try SystemManifest(encoded: bytes) }
    }
    let whole = TestGuest.manifest { _ in }
    #expect(throws: ManifestError.self) {
      try SystemManifest(encoded: Array(whole.prefix(whole.count / 2)))
    }
  }
}
