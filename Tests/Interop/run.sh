#!/bin/bash
# usage: run.sh SERVER-COMMAND CLIENT-COMMAND [SCENARIO...]
# Starts "SERVER-COMMAND server ADDRESS" and runs "CLIENT-COMMAND client ADDRESS SCENARIO..." against
# it, over TCP and over a Unix socket. Either command may be of any language. Ends non-zero if a scenario
# fails, or if the server ends with an error when it is stopped, as it does if objects of its own
# outlived their connections.
set -u
server=${1:?server command} client=${2:?client command}
shift 2
scratch=$(mktemp -d)
pid=
cleanup() {
  if [ -n "$pid" ]; then kill "$pid" 2>/dev/null; fi
  rm -rf "$scratch"
}
trap cleanup EXIT
status=0

for address in 127.0.0.1:0 "unix:$scratch/socket"; do
  # Emptied here: the server's own redirection may come after the first look at the file.
  : >"$scratch/out"
  $server server "$address" >"$scratch/out" &
  pid=$!
  ready=
  for _ in $(seq 100); do
    ready=$(sed -n 's/^listening //p' "$scratch/out")
    if [ -n "$ready" ] || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.1
  done
  if [ -z "$ready" ]; then
    echo "FAIL the server did not say that it listens on $address" >&2
    exit 1
  fi
  case $ready in unix:*) ;; *) ready=127.0.0.1:$ready ;; esac
  case $address in unix:*) echo "== unix ==" ;; *) echo "== tcp ==" ;; esac
  timeout 240 $client client "$ready" "$@" || status=1
  kill -TERM "$pid"
  wait "$pid"
  code=$?
  pid=
  if [ "$code" -ne 0 ]; then
    echo "FAIL the server ended with status $code" >&2
    status=1
  fi
done
exit "$status"
