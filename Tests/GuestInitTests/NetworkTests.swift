import Testing

@testable import GuestInit

@Suite struct NetworkTests {
  @Test(arguments: ["0.0.0.0", "10.0.2.15", "255.255.255.255"])
  func dottedDecimalIsReadAndWritten(text: String) {
    #expect(IPv4Address(text)?.description == text)
  }

  @Test(arguments: [
    "", ".", "...", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.+4", "1.2.3.-4", "1.2.3. 4",
    "a.b.c.d",
    "a.b.c.d", "1.2.3.0004", "1.2.3.4\n", "::1",
  ])
  func anythingElseIsNoAddress(text: String) {
    #expect(IPv4Address(text) == nil)
  }

  @Test(
    arguments: [
      (0, 0), (1, 0x8000_0000), (24, 0xffff_ff00), (32, 0xffff_ffff), (-1, 0), (99, 0xffff_ffff),
    ] as [(Int, UInt32)])
  func aPrefixLengthGivesAMask(prefixLength: Int, mask: UInt32) {
    var network = Network.qemuUser
    network.prefixLength = prefixLength
    #expect(network.mask == mask)
  }
}
