# Needs only: make and Python 3.11 or newer with pip and venv.
# `make demo` runs the main job, `make test` the checks; both set up .venv first.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
STAMP := .venv/.installed
DEMO_OUT ?= demo_output
PYTEST_WORKERS ?= 2

# One thread per process: the fits are small, threads only fight for the cores.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: install demo test test-all lint types layers pytest format lock clean

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/responder-model demo --out $(DEMO_OUT)

test: lint types layers pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports --no-cache

pytest: $(STAMP)
	$(BIN)/pytest --numprocesses $(PYTEST_WORKERS)

# The long checks too: kills, many rows, engines, long fuzzing.
test-all: lint types layers
	$(BIN)/pytest --numprocesses $(PYTEST_WORKERS) -m ""

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pinned and hashed for every platform and Python >= 3.11, without any address.
lock:
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
		--extra dev --extra benchmarks --extra signing --extra distributed \
		--generate-hashes --no-emit-index-url --quiet \
		--output-file requirements.lock

clean:
	rm -rf .venv build dist $(DEMO_OUT) .pytest_cache .mypy_cache .ruff_cache
