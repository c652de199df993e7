# Tocsin. `make run` and `make test` are all that a new machine needs; CONTRIBUTING.md tells the rest.

PACKAGES = libcurl4-openssl-dev libyaml-dev libssl-dev libre2-dev libsnappy-dev libsqlite3-dev zlib1g-dev pkg-config python3-venv
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
SWIFT_FLAGS = --explicit-target-dependency-import-check error
# Tests run on optimised code, as users do; what they reach into is built apart, so that `make build` stays as it is.
TEST_FLAGS = -c release -Xswiftc -enable-testing --scratch-path .build-test
# A few tests at a time: all 800 at once are 1,300 open files, 850 threads and no faster. A crash prints the thread that
# crashed and ends, and a run that hangs is an error long before anybody loses patience.
TEST_ENVIRONMENT = TOCSIN_TEST_PYTHON=$(CURDIR)/.build/test-venv/bin/python \
  SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16 SWIFT_BACKTRACE=threads=crashed,images=none,interactive=no
TEST_TIMEOUT = 15m
TOCSIN_CONFORMANCE ?= ../shared/conformance
export TOCSIN_CONFORMANCE

.PHONY: deps test-deps build run test lint bench fuzz format clean

deps: ## Debian packages that are missing
	@missing=$$(dpkg-query -W -f='$${db:Status-Status} $${Package}\n' $(PACKAGES) 2>/dev/null | awk '$$1 == "installed" {print $$2}' | cut -d: -f1 | sort > /tmp/tocsin-have.$$$$; \
	  printf '%s\n' $(PACKAGES) | sort | comm -23 - /tmp/tocsin-have.$$$$; rm -f /tmp/tocsin-have.$$$$); \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $$missing; fi

build: deps
	swift build -c release --product tocsin $(SWIFT_FLAGS)

run: build
	.build/release/tocsin run pipelines $(if $(wildcard .env),--env-file .env)

test-deps: deps .build/test-venv/ready

.build/test-venv/ready: Tests/requirements.txt
	python3 -m venv .build/test-venv
	.build/test-venv/bin/pip install -q -r Tests/requirements.txt
	touch $@

lint:
	swift format lint --strict --recursive --parallel Sources Tests Benchmarks Package.swift

test: test-deps lint
	swift build --build-tests $(TEST_FLAGS) $(SWIFT_FLAGS)
	$(TEST_ENVIRONMENT) timeout --kill-after=30s $(TEST_TIMEOUT) swift test --skip-build $(TEST_FLAGS)

# Optimised, since that is what runs, with the address sanitizer, and telling which edges an input takes.
FUZZ_FLAGS = -c release --sanitize address -Xswiftc -sanitize-coverage=edge,trace-pc-guard --scratch-path .build-fuzz
SECONDS = 60

fuzz: deps ## FUZZ=parse SECONDS=600 SEED=1; see CONTRIBUTING.md
	swift build --product tocsin-fuzz $(FUZZ_FLAGS)
	@for name in $(or $(FUZZ),parse evaluate); do \
	  ASAN_OPTIONS=detect_leaks=0:handle_sigill=1:handle_sigtrap=1 SWIFT_BACKTRACE=enable=no \
	  .build-fuzz/release/tocsin-fuzz $$name --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) || exit 1; done

format:
	swift format --in-place --recursive --parallel Sources Tests Benchmarks Package.swift

bench: deps ## BENCH=parse OPTIONS="targets=10" for one of them
	swift build -c release --product tocsin-bench $(SWIFT_FLAGS)
	@for name in $(or $(BENCH),$$(.build/release/tocsin-bench | awk 'NR > 1 {print $$1}')); do \
	  echo "== $$name"; .build/release/tocsin-bench $$name $(OPTIONS) || exit 1; done

clean:
	rm -rf .build .build-test .build-fuzz
