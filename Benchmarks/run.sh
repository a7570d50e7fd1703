#!/bin/bash
# Compares the C++ and the Swift benchmark programs: paired runs in alternation, medians, checksums,
# and instruction counts from callgrind.
#
#   run.sh [--cpp DIR] [--swift DIR] [--rounds N] [--only REGEX] [--scale PERCENT]
#          [--no-instructions] [--json] [--check]
#
# DIR holds the executables "encoding" and "ping", that of C++ also "floor": what the system alone takes
# for a round trip. Without --swift, only C++ is measured. --only picks cases by a regular expression,
# --scale changes the iterations of each timed run. Ends non-zero if a program fails, if the two
# disagree on a checksum, or, with --check, if a case costs more than its target: in time for a ping,
# which is mostly the system's work, in instructions for others where they are counted.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cpp=$here/../build/bench/cpp swift= rounds=5 only=. scale=100 instructions=1 json= check=

while [ $# -gt 0 ]; do
  case $1 in
    --cpp) cpp=${2:?}; shift 2 ;;
    --swift) swift=${2:?}; shift 2 ;;
    --rounds) rounds=${2:?}; shift 2 ;;
    --only) only=${2:?}; shift 2 ;;
    --scale) scale=${2:?}; shift 2 ;;
    --no-instructions) instructions=; shift ;;
    --json) json=1; shift ;;
    --check) check=1; shift ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done

if [ -n "$instructions" ] && ! command -v valgrind >/dev/null; then
  echo "run.sh: no valgrind, so no instruction counts" >&2
  instructions=
fi

# shellcheck source=server.sh
source "$here/server.sh"

# The case, the iterations of a timed run, those of two callgrind runs, of which the difference
# counts, and the target: the most that Swift should cost as a part of what C++ costs, or, where
# there is nothing in C++ to compare with, in nanoseconds.
cases="cars-build 8000 20 120 0.60
cars-read 8000 20 120 0.35
cars-roundtrip 5000 20 120 0.50
cars-pack 20000 20 120 0.60
cars-unpack 20000 20 120 0.60
catrank-build 8000 20 120 0.80
catrank-read 8000 20 120 0.40
catrank-roundtrip 2000 20 120 0.70
catrank-pack 20000 20 120 0.60
catrank-unpack 20000 20 120 0.60
eval-build 80000 200 1200 0.70
eval-read 80000 200 1200 0.50
eval-roundtrip 50000 200 1200 0.70
small 300000 2000 12000 0.90
texts-read 8000 20 120 1.20
texts-build 20000 20 120 1.20
ping-sequential 20000 200 1200 0.35
ping-sleeping 20000 200 1200 -
floor-sleeping 20000 0 0 -
floor-polling 20000 0 0 -
ping-16 40000 320 1920 0.167
ping-sleeping-16 40000 320 1920 -
ping-64 100000 640 3840 0.083
ping-sleeping-64 100000 640 3840 -
ping-256 100000 2560 5120 0.083
ping-chain 2500 25 150 0.35
ping-sleeping-chain 2500 25 150 -
ping-stream 3000 40 160 0.83
ping-echo 300 4 16 0.83
ping-local 200000 2000 12000 0.35
ping-memory 200000 2560 5120 1000ns"
wanted=$(echo "$cases" | grep -E "^[^ ]*($only)" || true)
if [ -z "$wanted" ]; then echo "run.sh: no case matches $only" >&2; exit 64; fi

programs=
if echo "$wanted" | grep -q '^ping'; then programs=ping; fi
if echo "$wanted" | grep -qEv '^(ping|floor)'; then programs="$programs encoding"; fi
if echo "$wanted" | grep -q '^floor'; then programs="$programs floor"; fi
for program in $programs; do
  for folder in "$cpp" ${swift:+"$swift"}; do
    if [ "$program" = floor ] && [ "$folder" != "$cpp" ]; then continue; fi
    if [ ! -x "$folder/$program" ]; then
      echo "run.sh: $folder/$program is missing; build the benchmarks first" >&2
      exit 66
    fi
  done
done

# implementations CASE: those that have the case.
implementations() {
  if [ "$1" != ping-memory ]; then echo cpp; fi
  if [ -n "$swift" ] && [[ $1 != floor-* ]]; then echo swift; fi
}

directory() { if [ "$1" = cpp ]; then echo "$cpp"; else echo "$swift"; fi; }

field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$scratch/line"; }

# ping-sleeping is ping-sequential, and ping-sleeping-X is ping-X, with both ends of Swift asleep while
# they wait, as those of C++ are: without it, they look for a while for what comes.
program_case() {
  case $1 in
    ping-sleeping) echo ping-sequential ;;
    *) echo "${1/-sleeping/}" ;;
  esac
}

# measure CASE IMPLEMENTATION ITERATIONS: appends "CASE IMPLEMENTATION NS CHECKSUM" to the times.
measure() {
  case $1 in
    ping-*)
      unset PING_BUSY_POLLING
      if [[ $1 == ping-sleeping* ]]; then export PING_BUSY_POLLING=0; fi
      start_server "$(directory "$2")/ping" server 127.0.0.1:0
      timeout 300 "$(directory "$2")/ping" client "$address" "$(program_case "$1")" "$3" \
        >"$scratch/line"
      stop_server ;;
    floor-*) timeout 300 "$cpp/floor" "${1#floor-}" "$3" >"$scratch/line" ;;
    *) timeout 300 "$(directory "$2")/encoding" "$1" "$3" >"$scratch/line" ;;
  esac
  echo "$1 $2 $(field ns) $(field checksum)" >>"$scratch/times"
  if [ "$2" = cpp ]; then
    field version >"$scratch/version.cpp"
    field compiler >"$scratch/compiler.cpp"
  fi
}

collected() {
  sed -n "s/.*Collected *: *\([0-9]*\).*/\1/p" "$@" | awk '{s += $1} END {print s + 0}'
}

# Callgrind counts a repeated string instruction once for each byte, which makes clearing 8 KiB look
# dear; with these thresholds the C library clears and copies by vectors instead.
tunables=glibc.cpu.x86_rep_stosb_threshold=0x7fffffff:glibc.cpu.x86_rep_movsb_threshold=0x7fffffff

# count CASE IMPLEMENTATION ITERATIONS: prints the instructions of the run, of both ends for a ping.
count() {
  local grind="env GLIBC_TUNABLES=$tunables valgrind --tool=callgrind"
  grind="$grind --callgrind-out-file=/dev/null"
  case $1 in
    ping-*)
      start_server $grind "$(directory "$2")/ping" server 127.0.0.1:0
      timeout 300 $grind "$(directory "$2")/ping" client "$address" "$1" "$3" \
        >/dev/null 2>"$scratch/client.err"
      stop_server
      collected "$scratch/client.err" "$scratch/server.err" ;;
    *)
      timeout 300 $grind "$(directory "$2")/encoding" "$1" "$3" >/dev/null 2>"$scratch/client.err"
      collected "$scratch/client.err" ;;
  esac
}

touch "$scratch/times" "$scratch/counts"
load=$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown)

for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  order=cat
  if [ $((round % 2)) -eq 0 ]; then order=tac; fi
  while read -r name iterations _ <&3; do
    n=$((iterations * scale / 100))
    if [ "$n" -lt 1 ]; then n=1; fi
    for implementation in $(implementations "$name" | $order); do
      measure "$name" "$implementation" "$n"
    done
  done 3<<<"$wanted"
done

if [ -n "$instructions" ]; then
  # How often they would look depends on the time.
  export PING_BUSY_POLLING=0
  while read -r name _ few many _ <&3; do
    case $name in ping-sleeping* | floor-*) continue ;; esac
    for implementation in $(implementations "$name"); do
      echo "counting instructions: $name, $implementation" >&2
      low=$(count "$name" "$implementation" "$few")
      high=$(count "$name" "$implementation" "$many")
      echo "$name $implementation $(((high - low) / (many - few)))" >>"$scratch/counts"
    done
  done 3<<<"$wanted"
fi

swift_version=
if [ -n "$swift" ]; then
  swift_version=$(swift --version 2>/dev/null | sed -n "/Swift version/{p;q;}")
fi

sort -k1,1 -k2,2 -k3,3n "$scratch/times" | awk -f "$here/report.awk" \
  -v json="$json" -v counts="$scratch/counts" -v rounds="$rounds" \
  -v load="$load" -v check="$check" -v targets="$(echo "$wanted" | cut -d' ' -f5 | tr '\n' ' ')" \
  -v order="$(echo "$wanted" | cut -d' ' -f1 | tr '\n' ' ')" \
  -v version="$(cat "$scratch/version.cpp" 2>/dev/null)" \
  -v compiler="$(cat "$scratch/compiler.cpp" 2>/dev/null)" \
  -v swift_="$swift_version"
