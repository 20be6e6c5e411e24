# Needs only: make and Python 3.11 or newer with pip and venv.
# `make demo` runs the main job, `make test` the checks; both set up .venv first, the
# demonstration with no more than it needs, the checks with the rest.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
STAMP := .venv/.installed
DEMO_STAMP := .venv/.installed_for_demo
DEMO_OUT ?= demo_output
PYTEST_WORKERS ?= 2
# A file stays with one worker, so that what its tests share is made once; tests/conftest.py
# orders the files.
SHARED = --numprocesses $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder

# One thread per process: the fits are small, threads only fight for the cores.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Every module is compiled once, not in every process, whatever the caller's image says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install demo test test-all quick quick_pytest seconds lint types layers pytest architecture docs dist bundle findings \
	format lock clean

install: $(STAMP)

# What a lock file names, then this checkout.
define install_from
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r $(1)
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	touch $@
endef

$(STAMP): requirements.lock pyproject.toml
	$(call install_from,requirements.lock)
	touch $(DEMO_STAMP)

$(DEMO_STAMP): requirements-demo.lock pyproject.toml
	$(call install_from,requirements-demo.lock)

demo: $(DEMO_STAMP)
	$(BIN)/responder-model demo --out $(DEMO_OUT)

# Two at a time: what has one process leaves no core idle.
test: $(STAMP)
	$(MAKE) --jobs 2 lint types layers pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python training/public_docs.py

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports --no-cache

pytest: $(STAMP)
	$(BIN)/pytest $(SHARED) $(CHOSEN)

# How long each file takes: which go first, and which are in `make quick`.
seconds: $(STAMP)
	RECORD_SECONDS=1 $(BIN)/pytest $(SHARED)

# What needs neither MLflow nor another process, nor long: for use while writing.
quick: $(STAMP)
	$(MAKE) --jobs 2 lint layers quick_pytest

quick_pytest:
	$(BIN)/pytest $(SHARED) $$($(BIN)/python training/quick_tests.py)

# The long checks too: kills, many rows, engines, long fuzzing.
test-all: $(STAMP)
	$(MAKE) --jobs 2 lint types layers pytest CHOSEN='-m ""'

# docs/architecture.md anew, after a change of the layers or of a room's first sentence.
architecture: $(STAMP)
	$(BIN)/python training/architecture.py

# findings/README.md anew, after a script was added.
findings: $(STAMP)
	$(BIN)/python training/findings_index.py

# Wheel and source distribution, twice the same bytes; all that a machine without
# internet needs, as one folder (docs/hospital/install.md).
dist: $(STAMP)
	$(BIN)/python training/packing.py dist

bundle: $(STAMP)
	$(BIN)/python training/bundle.py dist/bundle

# The pages as a folder that opens from disk: build/docs/index.html.
docs: $(STAMP)
	$(BIN)/python training/documentation/build.py build/docs

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pinned and hashed for every platform and Python >= 3.11, without any address. The
# small one holds a part of the large one, in the same versions.
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--group build --generate-hashes --no-emit-index-url --quiet

lock:
	$(COMPILE) --extra dev --extra benchmarks --extra docs --extra all \
		--output-file requirements.lock
	$(COMPILE) --extra tracking --extra formats --extra serving --extra pdf \
		--constraint requirements.lock --output-file requirements-demo.lock

clean:
	rm -rf .venv build dist $(DEMO_OUT) .pytest_cache .mypy_cache .ruff_cache
