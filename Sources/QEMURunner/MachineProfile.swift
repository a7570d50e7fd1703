/// The machine that QEMU emulates for the guest.
public struct MachineProfile: Equatable, Sendable {
  /// What executes the guest's instructions.
  public enum Accelerator: String, CaseIterable, Sendable {
    /// QEMU's own translator: slower, and works everywhere.
    case tcg
    /// The host's hardware; on some hosts `/dev/kvm` is there and guests hang, so never a default.
    case kvm
  }

  /// The emulator, a name looked up on `PATH` or a path.
  public var emulator = "qemu-system-x86_64"
  /// What executes the guest's instructions.
  public var accelerator = Accelerator.tcg
  /// Memory, in MiB.
  public var memory = 256
  /// How many processors the guest sees.
  public var processors = 1
  /// The guest's port that the host's port leads to.
  public var guestPort: UInt16 = 2327

  /// The usual machine.
  public init() {}

  /// The kernel's parameters.
  ///
  /// - `SWIFT_ROOT` becomes an environment variable of PID 1: without it, the static Swift runtime
  ///   looks for its own path in `/proc`, which is not mounted that early.
  /// - `panic=-1` together with QEMU's `-no-reboot`: a panic ends QEMU, so it is noticed.
  /// - The others save boot time: no timer calibration, no self tests, one serial port.
  static let kernelParameters = [
    "console=ttyS0", "panic=-1", "quiet", "loglevel=1", "SWIFT_ROOT=/", "no_timer_check",
    "tsc=reliable", "8250.nr_uarts=1", "random.trust_cpu=on", "cryptomgr.notests", "audit=0",
  ]

  /// QEMU's arguments for booting an image with `hostPort` of 127.0.0.1 leading to `guestPort`.
  ///
  /// The serial console is QEMU's standard input and output, and `signal=off` keeps a Ctrl-C that
  /// arrives there a character.
  func arguments(image: GuestImage, hostPort: UInt16) -> [String] {
    [
      "-accel", accelerator.rawValue, "-cpu", accelerator == .kvm ? "host" : "max", "-M", "q35",
      "-m", String(memory), "-smp", String(processors), "-nodefaults", "-no-user-config",
      "-display", "none", "-no-reboot", "-chardev", "stdio,id=serial,signal=off",
      "-serial", "chardev:serial", "-kernel", image.kernelPath, "-initrd", image.rootPath,
      "-append", Self.kernelParameters.joined(separator: " "), "-netdev",
      "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:\(hostPort)-:\(guestPort)",
      "-device", "virtio-net-pci,netdev=net,romfile=",
    ]
  }
}
