#!/bin/bash
# Times the generator beside C++'s, on a schema of 1,000 structs, and what it costs to compile its
# output: bytes and seconds for each 1,000 fields, public and for use in its own module.
#
#   generator.sh --generator PATH [--modules DIR] [--rounds N]
#
# PATH is a release build of capnpc-swift-gen, DIR holds the runtime's Swift modules; without it,
# nothing is compiled.
set -eu
generator= modules= rounds=5
while [ $# -gt 0 ]; do
  case $1 in
    --generator) generator=${2:?}; shift 2 ;;
    --modules) modules=${2:?}; shift 2 ;;
    --rounds) rounds=${2:?}; shift 2 ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
[ -x "$generator" ] || { echo "generator.sh: '$generator' is no executable" >&2; exit 66; }
# The work is done in another folder.
generator=$(realpath "$generator")
[ -z "$modules" ] || modules=$(realpath "$modules")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# schema STRUCTS: ten fields each, of the types that schemas mostly have.
schema() {
  echo "@0x$(printf '%016x' $((0x4000000000000000 + $1)) | sed 's/^./c/');"
  awk -v structs="$1" 'BEGIN {
    split("UInt32 Int64 Bool Float64 Text Data List(UInt16) List(Text)", type, " ")
    for (s = 0; s < structs; s++) {
      printf "struct Record%d {\n", s
      for (f = 0; f < 8; f++) printf "  field%d @%d :%s;\n", f, f, type[f + 1]
      printf "  other @8 :Record%d;\n  others @9 :List(Record%d);\n}\n", (s + 1) % structs, s
    }
  }'
}

# median COMMAND...: milliseconds of the middle one of the rounds.
median() {
  for _ in $(seq "$rounds"); do
    local start end
    start=$(date +%s%N)
    "$@"
    end=$(date +%s%N)
    echo $(((end - start) / 1000))
  done | sort -n | awk '{ all[NR] = $1 } END { printf "%.1f\n", all[int((NR + 1) / 2)] / 1000 }'
}
run() { (cd "$scratch/$2" && "$1" < "$scratch/large.request"); }
build() {
  swiftc -swift-version 6 -O -wmo -parse-as-library -enable-experimental-feature Lifetimes \
    -strict-memory-safety -module-name Generated -I "$modules" -c "$scratch/$1/small.capnp.swift" \
    -o "$scratch/small.o"
}

mkdir "$scratch/swift" "$scratch/cpp" "$scratch/public" "$scratch/internal"
schema 1000 > "$scratch/large.capnp"
schema 100 > "$scratch/small.capnp"
cd "$scratch"
capnp compile -o- large.capnp > large.request
for access in public internal; do
  CAPNPC_SWIFT_ACCESS=$access capnp compile "-o$generator:$access" small.capnp
done
swift=$(median run "$generator" swift)
cpp=$(median run capnpc-c++ cpp)
echo "1,000 structs, 10,000 fields: C++ $cpp ms, Swift $swift ms, ratio" \
  "$(awk -v a="$swift" -v b="$cpp" 'BEGIN { printf "%.2f", a / b }')"
rounds=1
for access in public internal; do
  echo "1,000 fields, $access: $(wc -c < "$access/small.capnp.swift") bytes of Swift"
  [ -n "$modules" ] || continue
  echo "  $(median build $access | awk '{ printf "%.1f", $1 / 1000 }') s to compile (-O)," \
    "$(size small.o | awk 'NR == 2 { print $1 }') bytes of code"
done
