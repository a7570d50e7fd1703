#!/bin/bash
# What the build plugin runs when, seen from the package beside this script, which has been built: a
# schema that is added, changed and removed, one that it imports, and a machine without `capnp`.
set -eu
cd "$(dirname "$0")"
target=Sources/PhoneBook
output=.build/plugins/outputs/consumer/PhoneBook/destination/CapnProtoPlugin
extra=$target/extra.capnp import=schemas/extra-import.capnp
log=$(mktemp) stamp=$(mktemp)
trap 'rm -f "$log" "$stamp" $extra $import' EXIT

fail() { echo "plugin.sh: $1" >&2; cat "$log" >&2; exit 1; }
build() { touch "$stamp"; swift build > "$log" 2>&1 || fail "the package does not build $1"; }
# written NAME...: exactly these files were written in the last build.
written() {
  local found
  found=$(find $output -name '*.swift' -newer "$stamp" -exec basename {} \; | sort | tr '\n' ' ')
  [ "$found" = "$*${*:+ }" ] || fail "wrote '$found' in place of '$*'"
}

build "as it is"
[ -e $output/phonebook.capnp.swift ] || fail "the output is not in $output"
build "again"
! grep -q Generating "$log" || fail "schemas are generated again that did not change"
echo '@0xe5c1b0a4f7d93a21; const two :UInt8 = 2;' > $import
cat > $extra <<'EOF'
@0xe5c1b0a4f7d93a20;
using I = import "/extra-import.capnp";
struct Extra { x @0 :UInt8 = I.two; }
EOF
build "with one schema more"
written extra.capnp.swift
grep -q 'default: 2' $output/extra.capnp.swift || fail "the import is not in the output"
echo '@0xe5c1b0a4f7d93a21; const two :UInt8 = 3;' > $import
build "after a change of what is imported"
written extra.capnp.swift
grep -q 'default: 3' $output/extra.capnp.swift || fail "the output is as before"
sed 's/struct.*/struct Extra { p @0 :import "\/person.capnp".Person; }/' $extra > "$log"
cp "$log" $extra
build "after a schema imports one of another target"
written extra.capnp.swift
rm $extra $import
build "without the schema that is removed"
written
! grep -q extra.capnp .build/debug.yaml || fail "the output of a schema that was removed is still built"
if CAPNP=/nowhere/capnp swift build --disable-build-manifest-caching > "$log" 2>&1; then
  fail "built without a schema compiler"
fi
grep -q "no executable '/nowhere/capnp'. Install it ('apt-get install" "$log" \
  || fail "nothing says how to install the schema compiler"
echo "plugin.sh: a file is written when its schema changes, or what that imports"
