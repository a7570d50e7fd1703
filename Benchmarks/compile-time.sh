#!/bin/bash
# Times Swift's compiler on the output for schemas of growing size, for each construct. Where a size
# that is twice as large takes much more than twice as long, the time is not linear.
#
#   compile-time.sh --generator PATH --modules DIR [--limit SECONDS] [CONSTRUCT...]
#
# PATH is a build of capnpc-swift-gen, DIR holds the runtime's Swift modules.
set -eu
generator= modules= limit=120 chosen=()
while [ $# -gt 0 ]; do
  case $1 in
    --generator) generator=${2:?}; shift 2 ;;
    --modules) modules=${2:?}; shift 2 ;;
    --limit) limit=${2:?}; shift 2 ;;
    -*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
    *) chosen+=("$1"); shift ;;
  esac
done
[ -x "$generator" ] || { echo "compile-time.sh: '$generator' is not an executable" >&2; exit 66; }
[ -d "$modules" ] || { echo "compile-time.sh: '$modules' is not a folder" >&2; exit 66; }
# The work is done in another folder.
generator=$(realpath "$generator")
modules=$(realpath "$modules")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# The constructs, each with its smallest size; two more follow, each twice as large.
constructs="enumerants:1000 fields:200 structs:100 nesting:10 groups:10 union:100 methods:50
  inheritance:10 parameters:8 bindings:50 constants:500 imports:10"

# schema CONSTRUCT SIZE: writes a.capnp, and what it imports.
schema() {
  awk -v construct="$1" -v size="$2" '
    function id(file) { return sprintf("@0xc40000000000%04x;", file) }
    BEGIN {
      out = "a.capnp"
      print id(0) > out
      split("UInt32 Text Bool List(UInt8)", type, " ")
      if (construct == "enumerants") {
        print "enum Large {" > out
        for (i = 0; i < size; i++) printf "  value%d @%d;\n", i, i > out
        print "}" > out
      } else if (construct == "fields" || construct == "union") {
        print ("struct Large {" (construct == "union" ? " union {" : "")) > out
        for (i = 0; i < size; i++) printf "  field%d @%d :%s;\n", i, i, type[i % 4 + 1] > out
        print ("}" (construct == "union" ? " }" : "")) > out
      } else if (construct == "structs") {
        for (i = 0; i < size; i++) {
          printf "struct Record%d { text @0 :Text; next @1 :Record%d; }\n", i, (i + 1) % size > out
        }
      } else if (construct == "nesting") {
        for (i = 0; i < size; i++) {
          printf "struct Level%d { number @0 :UInt32;%s\n", i,
            (i + 1 < size ? " inner @1 :Level" (i + 1) ";" : "") > out
        }
        for (i = 0; i < size; i++) print "}" > out
      } else if (construct == "groups") {
        print "struct Large {" > out
        for (i = 0; i < size; i++) printf "level%d :group { number%d @%d :UInt32;\n", i, i, i > out
        for (i = 0; i <= size; i++) print "}" > out
      } else if (construct == "methods") {
        print "interface Large {" > out
        for (i = 0; i < size; i++) printf "  call%d @%d (a :UInt32) -> (b :Text);\n", i, i > out
        print "}" > out
      } else if (construct == "inheritance") {
        for (i = 0; i < size; i++) {
          printf "interface Level%d %s { call%d @0 (); }\n", i,
            (i > 0 ? "extends(Level" (i - 1) ")" : ""), i > out
        }
      } else if (construct == "parameters") {
        printf "struct Large(T0" > out
        for (i = 1; i < size; i++) printf ", T%d", i > out
        print ") {" > out
        for (i = 0; i < size; i++) printf "  field%d @%d :T%d;\n", i, i, i > out
        print "}" > out
      } else if (construct == "bindings") {
        print "struct Box(T) { value @0 :T; }" > out
        for (i = 0; i < size; i++) {
          printf "struct User%d { box @0 :Box(Box(User%d)); }\n", i, (i + 1) % size > out
        }
      } else if (construct == "constants") {
        for (i = 0; i < size; i++) printf "const number%d :UInt32 = %d;\n", i, i > out
      } else if (construct == "imports") {
        print "struct Large {" > out
        for (i = 1; i <= size; i++) {
          printf "  field%d @%d :import \"b%d.capnp\".Other%d;\n", i, i - 1, i, i > out
          other = ("b" i ".capnp")
          printf "%s\nstruct Other%d { text @0 :Text; }\n", id(i), i > other
        }
        print "}" > out
      }
    }'
}

# compile CONSTRUCT SIZE: seconds that the compiler takes, or what went wrong.
compile() {
  rm -rf work && mkdir work && cd work
  schema "$1" "$2"
  capnp compile "-o$generator" ./*.capnp
  local start end
  start=$(date +%s%N)
  if timeout "$limit" swiftc -swift-version 6 -parse-as-library -strict-memory-safety -wmo \
    -enable-experimental-feature Lifetimes -module-name Generated -I "$modules" \
    -c ./*.swift -o out.o 2> errors; then
    end=$(date +%s%N)
    awk -v time=$((end - start)) 'BEGIN { printf "%.2f", time / 1e9 }'
  elif [ -s errors ]; then
    echo failed
  else
    echo ">$limit"
  fi
  cd ..
}

printf '%-12s %8s %26s   %s\n' construct size "seconds at 1, 2, 4 times" "last doubling"
for entry in $constructs; do
  construct=${entry%:*} size=${entry#*:}
  [ ${#chosen[@]} -eq 0 ] || [[ " ${chosen[*]} " == *" $construct "* ]] || continue
  one=$(compile "$construct" "$size")
  two=$(compile "$construct" $((size * 2)))
  four=$(compile "$construct" $((size * 4)))
  printf '%-12s %8d %8s %8s %8s   %s\n' "$construct" "$size" "$one" "$two" "$four" \
    "$(awk -v a="$two" -v b="$four" 'BEGIN { if (a + 0 > 0 && b + 0 > 0) printf "x%.2f", b / a; else print "-" }')"
done
