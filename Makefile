# Makefile - the doors to the project; `make help` lists them. Each sets up what it needs.

BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PYTEST_ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/ready
ECOSYSTEM := $(VENV)/ecosystem
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
RUN := PYTHONPATH=$(abspath $(BUILD))/python $(PY)
PYTEST := $(RUN) -m pytest -n $(JOBS)

.PHONY: help build demo test test-full test-c test-python test-dist numpy-suite bench bench-dist lint format asan ubsan tsan fault fuzz stress docs clean test-cuda bench-cuda
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1 \2/p' Makefile | \
		awk '{printf "  make %-10s", $$2; $$1 = $$2 = ""; print $$0}'

# ---- Set up and build ----

$(READY): tools/setup requirements-dev.txt
	tools/setup
	@touch $@

$(ECOSYSTEM): $(READY) requirements-ecosystem.txt
	tools/setup ecosystem
	@touch $@

$(BUILD)/build.ninja: CMakeLists.txt | $(READY)
	CC="$$(cat $(VENV)/compiler)" cmake -S . -B $(BUILD) -G Ninja -DPython_EXECUTABLE=$(CURDIR)/$(PY)

build: $(READY) $(BUILD)/build.ninja ## compile the core, the extension, the C tests and examples
	@cmake --build $(BUILD)

# ---- Use ----

demo: build ## set up, build, run the channel flow and show what it did
	$(RUN) examples/channel_flow.py --compare --explain --picture examples/channel_flow.png

test: test-c test-python ## set up, build, run every test but the slow ones

test-c: build
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

test-python: build test-c $(ECOSYSTEM)
	$(PYTEST) -m "not slow" $(PYTEST_ARGS)

test-full: build test-c $(ECOSYSTEM) ## the slow tests too
	$(PYTEST) $(PYTEST_ARGS)

test-dist: build ## the tests of several processes, with every MPI that is there
	$(PYTEST) tests/dist $(PYTEST_ARGS)

numpy-suite: build ## NumPy's own tests with cNumeric in its place
	$(RUN) tests/numpy_suite/run.py --jobs $(JOBS)

bench: build ## time every row beside NumPy, numexpr, Numba and JAX (BENCH_ARGS="--help" lists options)
	tools/setup bench
	$(RUN) -m bench $(BENCH_ARGS)

bench-dist: build ## cNumeric beside C and MPI, from 1 rank to 16 (BENCH_ARGS="--help" lists options)
	$(RUN) -m bench.mpi $(BENCH_ARGS)

test-cuda: ## on a machine with a GPU: build there and run the engine's tests on it, installing nothing
	tools/cuda test

bench-cuda: ## on a machine with a GPU: time rows beside CuPy and JAX
	tools/cuda bench

# ---- Care ----

lint: build ## layers, headers, C and Python style, static checks
	@status=0; run() { echo "$$*"; "$$@" || status=1; }; \
	run $(PY) tools/check_layers.py --headers --compiler "$$(cat $(VENV)/compiler)"; \
	run ruff check . --output-format concise; \
	run ruff format --check .; \
	run mypy --strict python/cnumeric; \
	run tools/format_c --check; \
	if command -v cppcheck >/dev/null; then run tools/cppcheck $(BUILD); else echo "cppcheck is not installed: left out"; fi; \
	exit $$status

format: $(READY) ## lay out C and Python sources
	ruff format .
	ruff check --fix-only --quiet .
	tools/format_c

asan: $(READY) ## tests under the address sanitizer, with leaks in the C tests
	tools/sanitize address $(PYTEST_ARGS)

ubsan: $(READY) ## tests under the undefined-behaviour sanitizer
	tools/sanitize undefined $(PYTEST_ARGS)

tsan: $(READY) ## tests of threads under the thread sanitizer
	tools/sanitize thread $(PYTEST_ARGS)

fault: build ## the N-th allocation fails, for every N until none does
	ctest --test-dir $(BUILD) --output-on-failure -R fault
	$(RUN) -m pytest tests/test_faults.py $(PYTEST_ARGS)

fuzz: build ## random programs against NumPy, many of them (FUZZ_EXAMPLES=20000)
	CNUMERIC_FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),20000) $(PYTEST) tests/test_programs.py $(PYTEST_ARGS)

stress: build ## every test again under unusual settings
	tools/stress 'ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS); c=$$?; \
		$(PYTEST) -m "not slow and not default_settings" $(PYTEST_ARGS) && exit $$c'

docs: build ## write the tables of docs/ from the sources
	$(RUN) tools/make_docs.py

clean: ## remove what was built (the environment stays)
	rm -rf build build-address build-undefined build-thread dist bench/results .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
