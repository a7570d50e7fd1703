#!/bin/bash
# What the compiler does not check: the format, who imports whom, that unsafe code stays in files
# that say why it is sound, and that checked-in generated code is what the generator makes today.
set -euo pipefail
cd "$(dirname "$0")/../.."
failures=0
fail() { printf 'check: %s\n' "$*" >&2; failures=$((failures + 1)); }

sources() { git ls-files --cached --others --exclude-standard -- "$@" | grep '\.swift$'; }
written() { sources "$@" | grep -v '\.capnp\.swift$'; }

echo "format"
written . | xargs swift format lint --strict --parallel || fail "the format rules are broken"

echo "imports"
free=" Swift Synchronization Glibc Musl Darwin _Concurrency "
while read -r module allowed; do
  case $module in '' | '#'*) continue ;; esac
  case $module in
    RemoteSessionSchema) folder=schema ;;
    guest-init) folder=guest ;;
    *) folder=Sources/$module ;;
  esac
  [ -d "$folder" ] || { fail "$folder of the import table is not there"; continue; }
  while read -r file imported; do
    case "$free$allowed " in
      *" $imported "*) ;;
      *) fail "$file imports $imported, which $module may not" ;;
    esac
  done < <(sources "$folder" | xargs -r sed -nE \
    's/^ *(@[A-Za-z_()]+ )*((public|package|internal|private|fileprivate) )?import ((struct|class|enum|protocol|func|typealias|var|let) )?([A-Za-z_][A-Za-z0-9_]*).*/\6/p;T;F' |
    paste - - | awk '{ print $2, $1 }')
done < Tests/Rules/imports.txt
for folder in Sources/*/; do
  grep -q "^$(basename "$folder")\( \|$\)" Tests/Rules/imports.txt ||
    fail "$folder is missing from Tests/Rules/imports.txt"
done

echo "unsafe code"
for file in $(written Sources schema guest | xargs grep -lE '(^|[^a-zA-Z"`])unsafe[^a-zA-Z"`]' || true); do
  sed -E 's://.*::' "$file" | grep -qE '(^|[ (=!])unsafe ' || continue
  grep -qE '^ *//.*(Safety\.|[ `]sound)' "$file" || fail "$file has unsafe code and does not say why it is sound"
done

echo "generated code"
swift build --product capnpc-swift-gen > build/check.log 2>&1 ||
  { cat build/check.log >&2; fail "the generator does not build"; }
rm -rf build/check && mkdir -p build/check
capnp compile "-o$PWD/.build/debug/capnpc-swift-gen:build/check" --src-prefix=/usr/include/capnp \
  /usr/include/capnp/schema.capnp /usr/include/capnp/rpc.capnp /usr/include/capnp/stream.capnp \
  /usr/include/capnp/persistent.capnp /usr/include/capnp/compat/json.capnp
mv build/check/compat/json.capnp.swift build/check
capnp compile "-o$PWD/.build/debug/capnpc-swift-gen:build/check" \
  --src-prefix=Sources/CapTP/Schema Sources/CapTP/Schema/exception.capnp
capnp compile "-o$PWD/.build/debug/capnpc-swift-gen:build/check" -Iinclude \
  --src-prefix=Sources/CapnProtoRPC/Schema Sources/CapnProtoRPC/Schema/restorer.capnp
for file in Sources/CapnProtoSchema/Generated/schema.capnp.swift \
  Sources/CapnProtoCompat/Generated/json.capnp.swift \
  Sources/CapTP/Generated/rpc.capnp.swift Sources/CapTP/Generated/exception.capnp.swift \
  Sources/CapnProtoRPC/Generated/{stream,persistent,restorer}.capnp.swift; do
  diff -u "$file" "build/check/$(basename "$file")" > build/check.diff ||
    { head -n 20 build/check.diff >&2; fail "$file is not what the generator makes"; }
done

echo "the README's example"
block() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" README.md | sed '/^```/d'; }
diff <(block capnp) Tests/ReadmeTests/greeter.capnp > /dev/null ||
  fail "README.md has another schema than Tests/ReadmeTests/greeter.capnp"
diff <(block swift) Tests/ReadmeTests/Greeter.swift > /dev/null ||
  fail "README.md has other code than Tests/ReadmeTests/Greeter.swift"

if [ "$failures" -gt 0 ]; then
  printf 'check: %d rules are broken\n' "$failures" >&2
  exit 1
fi
echo "all rules hold"
