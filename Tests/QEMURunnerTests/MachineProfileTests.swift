import Testing

@testable import QEMURunner

@Suite struct MachineProfileTests {
  private let image = GuestImage(directory: "out")

  private func value(after option: String, in arguments: [String]) -> String? {
    arguments.firstIndex(of: option).map { arguments[$0 + 1] }
  }

  @Test func theUsualMachineIsEmulatedAndReachableOnLoopbackOnly() {
    let arguments = MachineProfile().arguments(image: image, hostPort: 4000)
    #expect(value(after: "-accel", in: arguments) == "tcg")
    #expect(value(after: "-cpu", in: arguments) == "max")
    #expect(value(after: "-m", in: arguments) == "256")
    #expect(value(after: "-smp", in: arguments) == "1")
    #expect(value(after: "-kernel", in: arguments) == "out/vmlinux")
    #expect(value(after: "-initrd", in: arguments) == "out/guest.cpio")
    #expect(
      value(after: "-netdev", in: arguments)
        == "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:4000-:2327")
    #expect(arguments.contains("-no-reboot"))
  }

  @Test func theKernelIsToldWhatTheStaticRuntimeNeeds() throws {
    let arguments = MachineProfile().arguments(image: image, hostPort: 4000)
    let parameters = try #require(value(after: "-append", in: arguments)).split(separator: " ")
    #expect(parameters.contains("SWIFT_ROOT=/"))
    #expect(parameters.contains("console=ttyS0"))
    #expect(parameters.contains("panic=-1"))
  }

  @Test func aProfileChangesTheMachine() {
    var profile = MachineProfile()
    profile.accelerator = .kvm
    profile.memory = 512
    profile.processors = 2
    profile.guestPort = 99
    let arguments = profile.arguments(image: image, hostPort: 1)
    #expect(value(after: "-accel", in: arguments) == "kvm")
    #expect(value(after: "-cpu", in: arguments) == "host")
    #expect(value(after: "-m", in: arguments) == "512")
    #expect(value(after: "-smp", in: arguments) == "2")
    #expect(value(after: "-netdev", in: arguments)?.hasSuffix("127.0.0.1:1-:99") == true)
  }
}
