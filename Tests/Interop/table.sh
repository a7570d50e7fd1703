#!/bin/bash
# usage: table.sh SWIFT-PEER CPP-PEER PYTHON-PEER
# Runs every scenario in the pairings of the peers, over TCP and over a Unix socket, and prints a
# table of the outcome. A peer says with "list" which scenarios it has as a client, and may say with
# "unsupported" which it cannot serve: those are marked "-". What a run printed is kept in
# build/interop/. Ends non-zero unless all other scenarios ran and passed, and every server ended in
# order.
set -u
swift=${1:?Swift peer} cpp=${2:?C++ peer} python=${3:?Python peer}
here=$(dirname "$0")
logs=$here/../../build/interop
mkdir -p "$logs"
status=0
pairings=(swift-to-cpp cpp-to-swift swift-to-python python-to-swift swift-to-swift cpp-to-cpp)

peer() {
  case $1 in swift) echo "$swift" ;; cpp) echo "$cpp" ;; python) echo "$python" ;; esac
}
# Which scenarios a pairing has: those of its client that its server can serve.
scenarios() {
  local client=${1%-to-*} server=${1#*-to-}
  # shellcheck disable=SC2046 # a peer may be a command of several words
  $(peer "$client") list | grep -vxFf <($(peer "$server") unsupported 2>/dev/null | grep . || echo /)
}

for pairing in "${pairings[@]}"; do
  # shellcheck disable=SC2046 # each name is an argument
  "$here/run.sh" "$(peer "${pairing#*-to-}")" "$(peer "${pairing%-to-*}")" \
    $(scenarios "$pairing") >"$logs/$pairing.log" 2>&1 || status=1
done

names=$({ $cpp list; $swift list; } | awk '!seen[$0]++')
passed=0 count=0
echo "client to server, each over TCP and over a Unix socket" \
  "(libcapnp $($cpp version), pycapnp $($python version))"
row='%-34s' ; for _ in "${pairings[@]}"; do row+=' %-16s'; done
# shellcheck disable=SC2059 # the format is made of the above
line() { printf "$row\n" "$@"; }
line scenario "${pairings[@]}"
for scenario in $names; do
  cells=()
  for pairing in "${pairings[@]}"; do
    if ! scenarios "$pairing" | grep -qx "$scenario"; then cells+=(-); continue; fi
    passes=$(grep -cx "PASS $scenario" "$logs/$pairing.log")
    passed=$((passed + passes)) count=$((count + 2))
    if [ "$passes" -eq 2 ]; then cells+=(pass); else
      cells+=(FAIL)
      status=1
    fi
  done
  line "$scenario" "${cells[@]}"
done
for pairing in "${pairings[@]}"; do
  grep -vE '^(PASS |passed |== )' "$logs/$pairing.log" | sed "s/^/$pairing: /"
done
echo "interop: $passed of $count passed (${#pairings[@]} pairings, 2 transports)"
exit "$status"
