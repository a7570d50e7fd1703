#!/bin/bash
# Times our calls beside those of grpc-swift-2 with its NIO transport: a client and a server, each a
# process, on one TCP connection over loopback; paired runs in alternation, medians, checksums.
#
#   grpc.sh [--swift DIR] [--grpc DIR] [--rounds N] [--only REGEX] [--scale PERCENT] [--json]
#
# The one DIR holds the executable "ping", the other "grpc-ping"; without them, they are where `make
# bench-grpc` builds them. --only picks cases by a regular expression, --scale changes the iterations
# of each run. Ends non-zero if a program fails, or if the two disagree on a checksum.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
swift=$here/.build/release grpc=$here/gRPC/.build/release rounds=5 only=. scale=100 json=
while [ $# -gt 0 ]; do
  case $1 in
    --swift) swift=${2:?}; shift 2 ;;
    --grpc) grpc=${2:?}; shift 2 ;;
    --rounds) rounds=${2:?}; shift 2 ;;
    --only) only=${2:?}; shift 2 ;;
    --scale) scale=${2:?}; shift 2 ;;
    --json) json=1; shift ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
for number in "$rounds" "$scale"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] ||
    { echo "grpc.sh: '$number' is no number above 0 (--rounds, --scale)" >&2; exit 64; }
done
for program in "$swift/ping" "$grpc/grpc-ping"; do
  [ -x "$program" ] ||
    { echo "grpc.sh: $program is missing; 'make bench-grpc' builds it" >&2; exit 66; }
done

# The case, and the calls of a run.
cases="ping-sequential 10000
ping-16 40000
ping-64 40000
ping-256 40000
ping-echo 300"
wanted=$(echo "$cases" | grep -E "^[^ ]*($only)" || true)
[ -n "$wanted" ] ||
  { echo "grpc.sh: no case matches $only; they are" $(echo "$cases" | cut -d' ' -f1) >&2; exit 64; }

# shellcheck source=server.sh
source "$here/server.sh"

field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$scratch/line"; }

# measure CASE IMPLEMENTATION COUNT: appends "CASE IMPLEMENTATION NS CHECKSUM" to the times.
measure() {
  local program=$swift/ping configured=
  # At its best, gRPC is set up for how many calls are under way.
  if [ "$2" = grpc ]; then program=$grpc/grpc-ping configured=$1; fi
  start_server "$program" server 127.0.0.1:0 $configured
  timeout 300 "$program" client "$address" "$1" "$3" >"$scratch/line" ||
    { echo "grpc.sh: $1 failed or took 300 s: $program" >&2; exit 1; }
  stop_server
  echo "$1 $2 $(field ns) $(field checksum)" >>"$scratch/times"
}

load=$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown)
for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  order="swift grpc"
  if [ $((round % 2)) -eq 0 ]; then order="grpc swift"; fi
  while read -r name count <&3; do
    count=$((count * scale / 100))
    if [ "$count" -lt 1 ]; then count=1; fi
    for implementation in $order; do measure "$name" "$implementation" "$count"; done
    ratio=$(tail -n 2 "$scratch/times" |
      awk '{ ns[$2] = $3 } END { printf "%.2f", ns["grpc"] / ns["swift"] }')
    echo "$name ratio $ratio" >>"$scratch/times"
  done 3<<<"$wanted"
done

# version PACKAGE: the one that is measured.
version() { sed -n "s|.*/$1\", exact: \"\(.*\)\").*|\1|p" "$here/gRPC/Package.swift"; }

sort -k1,1 -k2,2 -k3,3n "$scratch/times" | awk -v json="$json" -v rounds="$rounds" -v load="$load" \
  -v order="$(echo "$wanted" | cut -d' ' -f1 | tr '\n' ' ')" \
  -v core="$(version grpc-swift-2)" -v transport="$(version grpc-swift-nio-transport)" \
  -v swift="$(swift --version 2>/dev/null | sed -n '/Swift version/{p;q;}')" '
  {
    key = $1 SUBSEP $2
    value[key, ++runs[key]] = $3
    if ($2 == "ratio") next
    if ($1 in checksum && checksum[$1] != $4 "") differing[$1]
    checksum[$1] = $4 ""
  }

  function median(name, what, key, middle) {
    key = name SUBSEP what
    middle = int((runs[key] + 1) / 2)
    return runs[key] % 2 ? value[key, middle] : (value[key, middle] + value[key, middle + 1]) / 2
  }

  END {
    total = split(order, name, " ")
    if (!json) printf "%-18s %10s %10s %8s %10s %10s\n", "per call", "gRPC ns", "ours ns", "times",
      "lowest", "highest"
    for (i = 1; i <= total; i++) {
      line = sprintf(json ? "{\"case\":\"%s\",\"grpcNs\":%.0f,\"swiftNs\":%.0f,\"ratio\":%.2f," \
          "\"lowestRatio\":%.2f,\"highestRatio\":%.2f}" : "%-18s %10.0f %10.0f %8.2f %10.2f %10.2f",
        name[i], median(name[i], "grpc"), median(name[i], "swift"), median(name[i], "ratio"),
        value[name[i], "ratio", 1], value[name[i], "ratio", runs[name[i], "ratio"]])
      if (json) all = all (i > 1 ? "," : "") line
      else print line
    }
    for (one in differing) disagreement = disagreement " " one
    if (json) {
      printf "{\"grpc\":\"%s\",\"grpcTransport\":\"%s\",\"swift\":\"%s\",\"rounds\":%d,", core,
        transport, swift, rounds
      printf "\"loadAverage\":\"%s\",\"checksumsAgree\":%s,\"cases\":[%s]}\n", load,
        disagreement == "" ? "true" : "false", all
    } else {
      print "Times: gRPC\047s time / ours, or how many of our calls take as long as one of its. Medians of"
      print rounds " paired runs, and the lowest and the highest pair; load average " load \
        " at the start."
      print "gRPC: grpc-swift-2 " core " with grpc-swift-nio-transport " transport \
        ", HTTP/2 without TLS. Its"
      print "messages are bytes as they are, without protobuf, which favours it. " swift "."
    }
    if (disagreement != "") {
      print "grpc.sh: checksums differ:" disagreement > "/dev/stderr"
      exit 1
    }
  }'
