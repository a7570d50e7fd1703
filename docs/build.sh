#!/bin/sh
# Builds the documentation of the libraries into build/docs, one archive for each module. A warning
# is an error: a link that leads nowhere, a parameter that is not there.
set -eu
cd "$(dirname "$0")/.."

modules="CapnProto CapnProtoSchema CapnProtoRPC CapnProtoNIO CapnProtoTLS CapnProtoWebSocket \
  CapnProtoLifecycle CapnProtoInstruments CapnProtoTesting CapTP CapnProtoCodeGen \
  RemoteSessionSchema RemoteSessionClient RemoteSessionGateway GuestServices"

echo "building the modules and extracting their declarations"
log=build/docs/symbols.log
mkdir -p build/docs
# What could not be extracted is found out below: the command also fails for a module of generated
# tests, which a build without tests does not have.
rm -rf .build/*/symbolgraph
swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members \
  > "$log" 2>&1 || true
symbols=$(sed -n 's/^Files written to //p' "$log")

for module in $modules; do
  if [ ! -f "$symbols/$module.symbols.json" ]; then
    tail -n 40 "$log" >&2
    echo "docs/build.sh: no declarations of $module were extracted; $log says why" >&2
    exit 1
  fi
  graphs=build/docs/symbols/$module
  rm -rf "$graphs" && mkdir -p "$graphs"
  # Extensions of other modules' types are in files of their own.
  cp "$symbols/$module.symbols.json" "$graphs"
  for extension in "$symbols/$module"@*.symbols.json; do
    if [ -f "$extension" ]; then cp "$extension" "$graphs"; fi
  done
  echo "documenting $module"
  docc convert --additional-symbol-graph-dir "$graphs" --fallback-display-name "$module" \
    --fallback-bundle-identifier "capnproto.$module" --warnings-as-errors \
    --output-path "build/docs/$module.doccarchive"
done
echo "the documentation is in build/docs: docc preview or any web server shows an archive"
