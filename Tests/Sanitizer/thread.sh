#!/bin/bash
# usage: thread.sh FILTER
# Runs the tests that the filter picks under the thread sanitizer, in a copy of the sources in
# build/thread-sanitizer whose locks the sanitizer knows: see Mutex.swift.
set -euo pipefail
cd "$(dirname "$0")/../.."
tree=build/thread-sanitizer
mkdir -p "$tree"
# What was taken away since the last time must not stay; what was built may.
find "$tree" -mindepth 1 -maxdepth 1 ! -name .build -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - 2>/dev/null | tar -xf - -C "$tree"
for module in "$tree"/Sources/* "$tree"/Tests/*; do
  if [ "${module##*/}" != Interop ] && grep -rqs --include='*.swift' '^ *import Synchronization' "$module"; then
    cp -p Tests/Sanitizer/Mutex.swift "$module/ThreadSanitizerMutex.swift"
  fi
done
# In the copy, and not by --package-path: the capnp tool, which tests run, warns where PWD is not the
# directory that it runs in.
cd "$tree"
swift build --build-tests --sanitize=thread
TSAN_OPTIONS=halt_on_error=0 swift test --skip-build --sanitize=thread --filter "$1"
