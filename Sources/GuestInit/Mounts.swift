import Glibc

/// The kernel file systems that the guest's processes rely on.
struct Mount: Equatable {
  let type: String
  let path: String
  let flags: UInt
  let options: String?

  static let all = [
    Mount(type: "proc", path: "/proc", flags: guarded, options: nil),
    Mount(type: "sysfs", path: "/sys", flags: guarded, options: nil),
    Mount(type: "devtmpfs", path: "/dev", flags: UInt(MS_NOSUID | MS_NOEXEC), options: "mode=0755"),
    Mount(type: "tmpfs", path: "/tmp", flags: UInt(MS_NOSUID | MS_NODEV), options: "mode=1777"),
    Mount(type: "tmpfs", path: "/run", flags: guarded, options: "mode=0755"),
    Mount(type: "cgroup2", path: "/sys/fs/cgroup", flags: guarded, options: nil),
  ]

  private static let guarded = UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC)
}
