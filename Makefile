# `make run` is all a fresh clone needs. Written for GNU make 3.81, which macOS still ships.

PY := .venv/bin/python
UV ?= "$(CURDIR)/.venv/bin/uv"
TYPESCRIPT := typescript@7.0.2

# Exact versions for every supported Python and system; versions that are already pinned are kept. The locks hold the
# digests of all files as well, and are what is installed; requirements.txt is for readers and for other tools.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --no-python-downloads \
	$(if $(UPGRADE),--upgrade) --custom-compile-command "make lock" pyproject.toml
HASHED = $(COMPILE) --generate-hashes --no-annotate --no-strip-extras
LOCK = $(COMPILE) -o requirements.txt && $(HASHED) -c requirements.txt -o requirements.lock && \
	$(HASHED) -c requirements.txt --group test -o requirements-test.lock && \
	$(HASHED) -c requirements-test.lock --group dev -o requirements-dev.lock
LOCKED = requirements.txt requirements.lock requirements-test.lock requirements-dev.lock

PIP = $(PY) -m pip install --quiet --disable-pip-version-check --no-compile
# Measured on two cores, with the download of all files.
TAKES_requirements = 110 MB, half a minute
TAKES_requirements-test = 360 MB with those of the server, a minute
TAKES_requirements-dev = 490 MB with those of the tests, a minute

.PHONY: help run test check check-style check-types check-imports check-lock check-js fmt lock audit sbom protocol bench soak faults clean
.DELETE_ON_ERROR:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: .venv/requirements.lock ## start the server on http://127.0.0.1:8000 (PORT=9000 make run for another port)
	@$(PY) run.py $(ARGS)

test: .venv/requirements-test.lock ## run the tests with coverage; ARGS="-k name -x" goes to pytest
	@$(if $(ARGS),:,echo "All tests take some 8 minutes on two cores.")
	@$(PY) -m pytest -n auto --maxprocesses=4 --cov $(if $(ARGS),--cov-fail-under=0) $(ARGS)

check: check-style check-types check-imports check-lock check-js ## everything that CI checks before the tests

check-style: .venv/requirements-dev.lock ## check format and lint
	$(PY) -m ruff format --check --quiet .
	$(PY) -m ruff check --quiet .

check-types: .venv/requirements-dev.lock ## check types (mypy, strict)
	$(PY) -m mypy

check-imports: .venv/requirements-dev.lock ## check that layers import in one direction
	$(PY) .venv/bin/lint-imports --no-logo

check-lock: .venv/requirements-dev.lock ## check that the pinned requirements follow from pyproject.toml
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	cp pyproject.toml $(LOCKED) "$$copy" && (cd "$$copy" && $(LOCK)) && \
	for file in $(LOCKED); do \
	  diff -u $$file "$$copy/$$file" || { echo "$$file does not follow from pyproject.toml: make lock" >&2; exit 1; }; \
	done && echo "The pinned requirements follow from pyproject.toml."

check-js: ## check types of the page's JavaScript
	@if command -v npx >/dev/null 2>&1; then \
	  echo "npx $(TYPESCRIPT) -p app/static"; npx --yes --loglevel=error -p $(TYPESCRIPT) tsc -p app/static; \
	elif [ -n "$$CI" ]; then echo "check-js needs npx (Node.js)" >&2; exit 1; \
	else echo "check-js skipped: npx (Node.js) is not installed"; fi

fmt: .venv/requirements-dev.lock ## format, and fix what ruff can fix
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

lock: .venv/requirements-dev.lock ## pin what pyproject.toml asks for (make lock UPGRADE=1 for the newest)
	$(LOCK)

audit: .venv/requirements-dev.lock ## look for known vulnerabilities in requirements.lock, if their database can be asked
	@$(PY) -m tools.audit

sbom: .venv/requirements.lock ## write the bill of materials (CycloneDX) to sbom.cdx.json
	@$(PY) -m tools.sbom > sbom.cdx.json && echo "sbom.cdx.json"

protocol: .venv/requirements.lock ## write the page's types and close codes from the AsyncAPI document
	$(PY) -m tools.protocol_types

bench: .venv/requirements-dev.lock ## measure the server and its peers, side by side
	$(PY) -m benchmarks $(ARGS)

soak: .venv/requirements-test.lock ## kill and restart the server, and check that nothing is lost (ARGS="--minutes 60")
	$(PY) -m tests.reliability $(ARGS)

faults: .venv/requirements-test.lock ## break the database at every packet, with the real deadlines (30 minutes)
	@FAULTS=all $(PY) -m pytest --no-cov --timeout=1800 tests/databases/test_silence.py tests/databases/test_frozen.py \
	  tests/databases/test_locked_rooms.py tests/databases/test_read_only.py $(ARGS)

clean: ## remove what tools generated; the database, its key and .env stay
	rm -rf .venv sbom.cdx.json .coverage .coverage.* htmlcov coverage.xml .hypothesis .import_linter_cache .mypy_cache \
	  .pytest_cache .ruff_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment holds a copy of the requirements it was installed from, so that only a change installs again.
# Lines that were added to requirements.txt by hand are installed as well, without digests.
.venv/%.lock: %.lock requirements.txt $(PY)
	@if ! cat $< requirements.txt | cmp -s - $@; then \
	  $(PY) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { rm -rf .venv; $(MAKE) --no-print-directory $(PY); } && \
	  echo "Installing $< into .venv, now and after every change: $(TAKES_$*)." && \
	  $(PIP) --require-hashes -r $< && $(PIP) -r requirements.txt; \
	fi
	@cat $< requirements.txt > $@

# Debian's python3 cannot create virtual environments by itself; where pip is installed, virtualenv does it.
$(PY):
	@found=; \
	for python in "$(PYTHON)" python3.13 python3.12 python3.11 python3; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  found=$$python; rm -rf .venv; \
	  "$$python" -m venv .venv >/dev/null 2>&1 && exit; rm -rf .venv; \
	  "$$python" -m pip install --quiet --target .venv/virtualenv virtualenv >/dev/null 2>&1 && \
	    PYTHONPATH=.venv/virtualenv "$$python" -m virtualenv --quiet .venv && exit; rm -rf .venv; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Python 3.11 or newer is needed; if it is not on the PATH: make PYTHON=/path/to/python3" >&2; \
	else \
	  echo "$$found cannot make a virtual environment; on Debian: apt install python3-venv" >&2; \
	fi; exit 1
