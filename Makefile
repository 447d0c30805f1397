# Bulkhead: make demo | test | build | bench | fuzz | install | clean | help.   Meson does the work; see meson.build.
PREFIX ?= /usr/local
DESTDIR ?=
MAKEFLAGS += --no-print-directory

.PHONY: build demo demo-guard test vm-test bench fuzz install clean help

build: ## build build/bulkhead (installs what that needs, as root on Debian)
	@tools/setup build
	@[ -f build/build.ninja ] || said=$$(meson setup build --prefix $(PREFIX)) || { echo "$$said" >&2; exit 1; }
	@ninja -C build product

demo: build ## make real Debian images, scan them with all scanners, harden one
	@tools/setup demo
	@tools/demo

demo-guard: build ## attack a container, and show what the agent sees and stops
	@tools/setup demo_guard
	@tools/demo-guard

test: ## build with gcc and clang, run every test, sanitizers and static checks
	@tools/setup build test
	@tools/run-tests

vm-test: build ## the agent on Debian's kernels 5.10, 6.1 and 6.12, in machines that QEMU makes (a part of make test)
	@tools/setup build test
	@ninja -C build bulkhead-guard
	@for suite in bullseye bookworm bookworm-backports; do python3 tests/vm/guard.py build/bulkhead-guard $$suite || exit 1; done

bench: build ## print the budgets of the design as ratios measured side by side
	@tools/setup bench
	@ninja -C build
	@tests/bench/run

fuzz: ## run every fuzz target for SECONDS_EACH=60 seconds each; findings stay in build-fuzz/findings
	@tools/setup build test
	@tests/fuzz/run $${SECONDS_EACH:-60}

install: build ## install into $(DESTDIR)$(PREFIX)
	@meson configure build -Dprefix=$(PREFIX)
	@ninja -C build product
	@DESTDIR=$(DESTDIR) meson install -C build --no-rebuild

clean: ## remove what was built
	@rm -rf build build-* demo

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
