#!/bin/bash
# usage: table.sh SWIFT-PEER CPP-PEER
# Runs every scenario in the four pairings of the two peers, over TCP and over a Unix socket, and
# prints a table of the outcome. What a run printed is kept in build/interop/. Ends non-zero unless
# all scenarios of both peers ran and passed, and every server ended in order.
set -u
swift=${1:?Swift peer} cpp=${2:?C++ peer}
here=$(dirname "$0")
logs=$here/../../build/interop
mkdir -p "$logs"
status=0

# run SERVER CLIENT NAME
run() {
  if ! "$here/run.sh" "$1" "$2" >"$logs/$3.log" 2>&1; then status=1; fi
}
run "$cpp" "$swift" swift-to-cpp
run "$swift" "$cpp" cpp-to-swift
run "$swift" "$swift" swift-to-swift
run "$cpp" "$cpp" cpp-to-cpp

scenarios=$({ "$cpp" list; "$swift" list; } | awk '!seen[$0]++')
count=$(wc -l <<<"$scenarios")
passed=0
echo "client to server, each over TCP and over a Unix socket (libcapnp $("$cpp" version))"
row='%-34s %-14s %-14s %-14s %-14s\n'
printf "$row" scenario 'Swift to C++' 'C++ to Swift' 'Swift to Swift' 'C++ to C++'
for scenario in $scenarios; do
  cells=()
  for pairing in swift-to-cpp cpp-to-swift swift-to-swift cpp-to-cpp; do
    passes=$(grep -cx "PASS $scenario" "$logs/$pairing.log")
    passed=$((passed + passes))
    if [ "$passes" -eq 2 ]; then cells+=(ok); else
      cells+=("FAIL")
      status=1
    fi
  done
  printf "$row" "$scenario" "${cells[@]}"
done
for pairing in swift-to-cpp cpp-to-swift swift-to-swift cpp-to-cpp; do
  grep -vE '^(PASS |passed |== )' "$logs/$pairing.log" | sed "s/^/$pairing: /"
done
echo "interop: $passed of $((count * 8)) passed ($count scenarios, 4 pairings, 2 transports)"
exit "$status"
