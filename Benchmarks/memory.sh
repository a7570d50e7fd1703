#!/bin/bash
# Says what an idle connection, and a capability of the peer's, takes in memory at each end.
#
#   memory.sh --swift DIR [--check] [--json]
#
# DIR holds the executable "ping". With --check, ends non-zero if one takes more than its target.
set -eu
swift= check= json=
while [ $# -gt 0 ]; do
  case $1 in
    --swift) swift=${2:?}; shift 2 ;;
    --check) check=1; shift ;;
    --json) json=1; shift ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
[ -x "$swift/ping" ] || { echo "memory.sh: $swift/ping is missing; build it first" >&2; exit 66; }

# shellcheck source=server.sh
source "$(dirname "$0")/server.sh"

# hold WHAT COUNT CLIENT SERVER: the most bytes that one may take at either end; 0 for any number.
missed=
hold() {
  local line client there
  start_server "$swift/ping" server 127.0.0.1:0
  line=$(timeout 300 "$swift/ping" hold "$address" "$1" "$2" "$server_pid")
  stop_server
  client=$(echo "$line" | sed 's/.*"clientBytes":\([-0-9]*\).*/\1/')
  there=$(echo "$line" | sed 's/.*"serverBytes":\([-0-9]*\).*/\1/')
  if [ -n "$json" ]; then
    echo "$line"
  else
    printf '%-34s %8d %8d %8d %8d\n' "bytes for each of $2 $1" "$client" "$3" "$there" "$4"
  fi
  if [ "$client" -gt "$3" ]; then missed="$missed $1 at the client"; fi
  if [ "$4" -gt 0 ] && [ "$there" -gt "$4" ]; then missed="$missed $1 at the server"; fi
}

[ -n "$json" ] || printf '%-34s %8s %8s %8s %8s\n' "" client "at most" server "at most"
hold connections 400 32768 32768
# At the server each is an object of the benchmark's own besides.
hold capabilities 20000 256 0
if [ -n "$missed" ]; then
  echo "memory.sh: targets missed:$missed" >&2
  [ -z "$check" ] || exit 1
fi
