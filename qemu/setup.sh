#!/bin/bash
# Installs what the build and the guest need and the machine does not have: Debian packages, and
# the kernel package, which is only downloaded and unpacked, into build/kernel.
#
# Says nothing and does nothing when all is there. Without the right to install, prints the one
# command to run and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

kernel_root=build/kernel
kernel_meta=linux-image-cloud-amd64

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# What is missing, as Debian names it. Programs and files are looked for, not packages: one that
# was installed in another way counts.
missing_packages() {
  local package probe
  while read -r package probe; do
    case $probe in
      /*) [ -e "$probe" ] || echo "$package" ;;
      *) command -v "$probe" > /dev/null || echo "$package" ;;
    esac
  done << 'END'
capnproto capnp
libcapnp-dev /usr/include/capnp/rpc.capnp
qemu-system-x86 qemu-system-x86_64
lz4 lz4
g++ g++
pkg-config pkg-config
valgrind valgrind
util-linux setpriv
python3-venv python3
END
}

kernel_is_there() { compgen -G "$kernel_root/boot/vmlinuz-*" > /dev/null; }

# The package that the meta package stands for, from the package lists; nothing if there are none.
kernel_package() {
  apt-cache depends "$kernel_meta" 2> /dev/null |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
may_install() { [ "$(id -u)" = 0 ] || { command -v sudo > /dev/null && sudo -n true 2> /dev/null; }; }

fetch_kernel() {
  local package work
  package=$(kernel_package)
  [ -n "$package" ] || return 1
  say "downloading the guest's kernel, $package"
  mkdir -p build
  work=$(mktemp -d build/kernel-download.XXXXXX)
  # apt drops its rights to download, and says so at length if it may not write here.
  if (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$package") &&
    mkdir "$work/files" && dpkg-deb -x "$work"/*.deb "$work/files"; then
    # Only these are used; the rest of the package is documentation.
    rm -rf "$kernel_root" "$work/files/usr"
    mv "$work/files" "$kernel_root"
    rm -rf "$work"
  else
    rm -rf "$work"
    return 1
  fi
}

command -v swift > /dev/null ||
  fail "swift is not on PATH; install Swift 6.3 or later (see swift.org/install)"

packages=$(missing_packages | tr '\n' ' ')
packages=${packages% }
if [ -z "$packages" ] && kernel_is_there; then exit 0; fi

command -v apt-get > /dev/null ||
  fail "missing: ${packages:-} ${kernel_meta}; there is no apt-get here, so install them by hand" \
    "and unpack the kernel package into $kernel_root"

if [ -n "$packages" ]; then
  if ! may_install; then
    say "missing: $packages. Run this, then make again:"
    echo "sudo apt-get update && sudo apt-get install -y --no-install-recommends $packages"
    exit 1
  fi
  say "updating the package lists"
  as_root apt-get update -qq
  say "installing $packages"
  # shellcheck disable=SC2086 # one word for each package is meant
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $packages > /dev/null
  packages=$(missing_packages | tr '\n' ' ')
  [ -z "$packages" ] || fail "installed, and yet not found on PATH: $packages"
fi

if ! kernel_is_there && ! fetch_kernel; then
  # No package lists, or old ones that name a kernel which the archive no longer has.
  if ! may_install; then
    say "the guest's kernel cannot be downloaded with the package lists there are."
    say "Run this, then make again:"
    echo "sudo apt-get update"
    exit 1
  fi
  say "updating the package lists"
  as_root apt-get update -qq
  fetch_kernel || fail "the kernel package behind $kernel_meta cannot be downloaded"
fi
