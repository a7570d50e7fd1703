# Sourced by the scripts that measure calls: a server process for a run, and a directory for its output.
# All of it is gone when the script ends.

scratch=$(mktemp -d)
server_pid=
stop_server() {
  if [ -n "$server_pid" ]; then
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
  fi
}
trap 'stop_server; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# start_server PROGRAM ARGUMENT...: sets `address` and `server_pid`.
start_server() {
  : >"$scratch/server"
  "$@" >"$scratch/server" 2>"$scratch/server.err" &
  server_pid=$!
  for _ in $(seq 300); do
    address=$(sed -n 's/^listening /127.0.0.1:/p' "$scratch/server")
    if [ -n "$address" ]; then return; fi
    if ! kill -0 "$server_pid" 2>/dev/null; then break; fi
    sleep 0.1
  done
  echo "$(basename "$0"): $1 did not start as a server: $(tail -1 "$scratch/server.err")" >&2
  exit 1
}
