# SPDX-License-Identifier: Apache-2.0
#
# Short names for what CMake and the scripts do.
#
#   make            build the release configuration into build/
#   make test       install what is missing, build, run every test
#   make demo       install what is missing, build, run the demonstration
#   make bench      run the benchmarks
#   make install    [PREFIX=/usr/local] [DESTDIR=]
#   make asan, tsan, debug       the tests under another preset
#   make check      layers, symbols, documents, format
#   make format     rewrite the C sources with clang-format
#   make mutants    plant bugs, demand that the tests see them
#   make coverage   which lines the tests reach
#   make ci         everything that is checked before a change lands
#   make clean      remove the build folders
PREFIX ?= /usr/local
CMAKE_ARGS ?=
JOBS ?= $(shell nproc)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
export CTEST_PARALLEL_LEVEL ?= $(JOBS)

.PHONY: all deps test demo bench install clean format check-format check \
	debug asan tsan coverage mutants ci

all:
	@cmake --preset release $(CMAKE_ARGS) >/dev/null
	@cmake --build --preset release

deps:
	@scripts/install-deps build

test: deps
	@$(MAKE) --no-print-directory all
	@ctest --preset release

# The demonstration needs the program alone.
demo: deps
	@cmake --preset release $(CMAKE_ARGS) >/dev/null
	@cmake --build --preset release --target scorefield
	@scripts/demo

# Kernels that scatter addresses widely leave the thread sanitizer no room;
# setarch -R turns that off, where it is allowed.
tsan: at_fixed_addresses = $(shell setarch -R true 2>/dev/null && \
	echo setarch -R)

debug asan tsan:
	@scripts/install-deps build ci
	@cmake --preset $@ $(CMAKE_ARGS) >/dev/null
	@cmake --build --preset $@
	@$(at_fixed_addresses) ctest --preset $@

bench: all
	@bench/run

install: all
	@cmake --install build --prefix $(PREFIX)

check: all
	@scripts/install-deps ci
	@tools/check_layers
	@tools/check_symbols
	@tools/check_docs
	@tools/check_format

check-format:
	@tools/check_format

format:
	@tools/check_format --fix

mutants:
	@scripts/install-deps build
	@tools/check_mutants

coverage:
	@scripts/install-deps build cover
	@cmake --preset coverage $(CMAKE_ARGS) >/dev/null
	@cmake --build --preset coverage
	@ctest --preset coverage
	@gcovr --root . --filter src/ build-coverage --sort-percentage

ci:
	@.ci/run

clean:
	rm -rf build build-debug build-asan build-tsan build-coverage build-fuzz \
		build-no-pictures build-no-netcdf build-no-fftw
