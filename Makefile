# The way in: 'make help' lists the targets. Logic lives in Swift and in the scripts named here.

GUEST_BUILD := .build-guest
MANIFEST    := build/boot-manifest.bin
BIN         := .build/debug
# Runs of each benchmark.
ROUNDS      ?= 7
# Runs of the simulator, and the seed of the first one.
SEEDS       ?= 2000
FIRST       ?= 0

# The tests whose code tasks share.
CONCURRENT  ?= CapnProtoTests|CapnProtoRPCTests|CapnProtoNIOTests|CapnProtoInstrumentsTests|GeneratedInterfaceTests

# PORT=... names the port of 127.0.0.1; without it, 2327 or any that is free.
PORT_OPTION := $(if $(PORT),--port $(PORT))

.DEFAULT_GOAL := help
.PHONY: help setup image tools run run-remote-session-capset-interop run-capnp-chat-interop \
  run-local test test-random sanitize check simulate costs soak interop bench bench-grpc fuzz docs clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r name text; do printf '%-38s %s\n' "$$name" "$$text"; done

setup: ## Install what is missing (nothing if all is there)
	@qemu/setup.sh

tools: setup
	@echo "building the host's programs"
	swift build --product qemu-runner
	swift build --product remote-session

# Written aside first: a manifest with a mistake leaves none behind.
$(MANIFEST): guest/manifest.capnp $(wildcard schema/*.capnp) | setup
	@mkdir -p $(dir $@)
	capnp eval -b -I/usr/include -Ischema guest/manifest.capnp manifest > $@.new
	@mv $@.new $@

image: tools $(MANIFEST) ## Build the guest: executable, boot manifest, kernel, root directory
	@echo "building the guest's executable (the first time takes minutes)"
	swift build -c release --scratch-path $(GUEST_BUILD) --static-swift-stdlib \
	  -Xswiftc -static-executable -Xlinker -s --product guest-init
	$(BIN)/qemu-runner image --init $(GUEST_BUILD)/release/guest-init --manifest $(MANIFEST)

run: image ## Boot the guest, forward its port, show its console until Ctrl-C (PORT=... names the port)
	$(BIN)/qemu-runner run $(PORT_OPTION)

run-remote-session-capset-interop: image ## The main job: boot, prove every step as a client, power off
	$(BIN)/qemu-runner exec $(PORT_OPTION) -- \
	  $(BIN)/remote-session interop --port {port} --transcript build/interop-transcript.txt

run-capnp-chat-interop: image ## Boot, prove that a chat line crosses from one client to another
	$(BIN)/qemu-runner exec $(PORT_OPTION) -- \
	  $(BIN)/remote-session interop --only chat --port {port} \
	  --transcript build/chat-transcript.txt

run-local: setup $(MANIFEST) ## Run the same gateway on this machine, without QEMU
	swift run guest-init --local --manifest $(MANIFEST) $(PORT_OPTION)

# All at once, a test of a time limit would wait for the others' processors until the limit is over.
TESTS_AT_ONCE = SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=6

test: setup ## Run the tests, and those of a package that adopts this one
	@echo "building and running the tests (the first build takes minutes)"
	$(TESTS_AT_ONCE) swift test
	@echo "looking for messages that cost more than they are long"
	$(BIN)/message-costs --messages 24
	@echo "building and testing a package that adopts this one"
	swift test --package-path Tests/Consumer
	Tests/Consumer/plugin.sh

test-random: setup ## Compare 1,000 random schemas and values with the C++ implementation
	RANDOM_SCHEMAS=$${RANDOM_SCHEMAS:-1000} swift test --filter RandomTests

# Leaks are not looked for, in the generator that the build runs neither: see fuzz.
sanitize: export ASAN_OPTIONS = detect_leaks=0
sanitize: setup ## Run the tests under the address sanitizer, and those of tasks under the thread sanitizer
	swift build --build-tests --sanitize=address --scratch-path .build-asan
	$(TESTS_AT_ONCE) swift test --skip-build --sanitize=address --scratch-path .build-asan
	$(TESTS_AT_ONCE) Tests/Sanitizer/thread.sh '$(CONCURRENT)'

check: setup ## Format, who imports whom, generated code up to date
	Tests/Rules/check.sh

simulate: setup ## Run vats against each other in random order (SEEDS=... runs, FIRST=... the first)
	swift build -c release --product rpc-simulator
	.build/release/rpc-simulator --seeds $(SEEDS) --first $(FIRST)
	.build/release/rpc-simulator --seeds $(SEEDS) --first $(FIRST) --hostile

# By the optimizer's code: without it, other things than the message take the time.
costs: setup ## Look for messages that cost a vat more than they are long (MESSAGES=..., 1000, SEED=...)
	swift build -c release --product message-costs
	.build/release/message-costs --messages $(or $(MESSAGES),1000) --seed $(or $(SEED),1)

soak: setup ## Connections that come and go: nothing may be left, nor memory grow (CONNECTIONS=..., 1000)
	SOAK_CONNECTIONS=$(or $(CONNECTIONS),1000) swift test --filter SoakTests

# The newest version that the scenarios have been run with.
PYCAPNP := build/pycapnp/bin/python

$(PYCAPNP):
	@mkdir -p build
	rm -rf build/pycapnp && python3 -m venv build/pycapnp
	build/pycapnp/bin/pip install --quiet --disable-pip-version-check pycapnp==2.2.4 || \
	  { rm -rf build/pycapnp; exit 1; }

interop: setup $(PYCAPNP) ## Our RPC against the C++ implementation and pycapnp
	swift build --product interop-peer
	$(MAKE) -s -C Tests/Interop peer
	Tests/Interop/table.sh $(BIN)/interop-peer build/interop/peer \
	  "$(PYCAPNP) Tests/Interop/PythonPeer/peer.py"

bench: setup ## Time and count instructions beside the C++ implementation (takes minutes)
	$(MAKE) -C Benchmarks/Cpp
	# Without debug information, which is newer than some versions of valgrind can read.
	swift build -c release --package-path Benchmarks -Xlinker --strip-debug
	Benchmarks/run.sh --swift Benchmarks/.build/release --rounds $(ROUNDS)
	Benchmarks/memory.sh --swift Benchmarks/.build/release
	swift build -c release --product capnpc-swift-gen
	Benchmarks/generator.sh --generator .build/release/capnpc-swift-gen \
	  --modules Benchmarks/.build/release/Modules --rounds $(ROUNDS)
	Benchmarks/compile-time.sh --generator .build/release/capnpc-swift-gen \
	  --modules Benchmarks/.build/release/Modules

bench-grpc: setup ## Time calls beside those of grpc-swift (the first build takes minutes; ROUNDS=..., 7)
	swift build -c release --package-path Benchmarks --product ping -Xlinker --strip-debug
	@echo "building gRPC (the first time takes minutes)"
	swift build -c release --package-path Benchmarks/gRPC --product grpc-ping -Xlinker --strip-debug
	Benchmarks/grpc.sh --rounds $(ROUNDS)

# With two options of its own, the package manager leaves the coverage out that guides the fuzzer:
# the first one only keeps its main function free. The generator is built too, with a main of its
# own. Leaks are not looked for, as the detector does not see the pointers in which Swift keeps tags.
fuzz: setup ## Look for inputs that break it (SECONDS=..., 60; TARGETS="peer connection", all)
	swift build -c release --package-path Tests/Fuzz --scratch-path .build-fuzz \
	  --sanitize=fuzzer -Xswiftc -sanitize=fuzzer,address -Xlinker -z -Xlinker muldefs
	@mkdir -p build/fuzz/corpus
	ASAN_OPTIONS=detect_leaks=0 FUZZ_TARGETS="$(TARGETS)" \
	.build-fuzz/release/capnproto-fuzz -max_total_time=$(or $(SECONDS),60) -max_len=4096 \
	  -timeout=60 -artifact_prefix=build/fuzz/ build/fuzz/corpus Tests/Fuzz/Corpus

docs: setup ## Build the documentation
	docs/build.sh

clean: ## Remove everything that was built or downloaded
	rm -rf .build .build-* $(GUEST_BUILD) build
	rm -rf Benchmarks/.build Benchmarks/gRPC/.build Tests/Consumer/.build
