# Each target sets up what it needs: a virtual environment, the locked Python and npm packages, the compiled contracts.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# npm writes this file last; the virtual environment has its own mark.
PYTHON_READY := $(VENV)/.ready
NODE_READY := node_modules/.package-lock.json

# Slither needs older libraries than the project: an environment of its own.
SLITHER_VENV := .venv-slither

.PHONY: setup demo test test-long check analyse bench format clean

setup: $(PYTHON_READY) $(NODE_READY)
	@$(BIN)/python scripts/compile_contracts.py

$(PYTHON_READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 was not found: install it, or name it by make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_READY): package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm was not found: install Node 20" >&2; exit 1; }
	npm ci --silent
	@touch $@

demo: setup
	@$(BIN)/zkmargin demo

# Files of chains and consoles, the longest, come first: the short ones fill the gaps at the end.
test: setup
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder
	node_modules/.bin/forge test

# Ten times as many fuzz runs and longer invariant runs than `make test`.
test-long: setup
	FOUNDRY_PROFILE=long node_modules/.bin/forge test

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	node_modules/.bin/forge fmt --check
	node_modules/.bin/solhint 'contracts/**/*.sol' 'tests/contracts/**/*.sol'
	$(BIN)/python scripts/gas_snapshot.py --check

# Branch coverage of the contracts, what Slither finds in them against the answers given, and whether builds are reproducible.
analyse: setup $(SLITHER_VENV)/.ready
	$(BIN)/python scripts/contract_coverage.py
	$(BIN)/python scripts/check_slither.py
	$(BIN)/python scripts/check_reproducible_build.py

$(SLITHER_VENV)/.ready: requirements-slither.lock
	$(PYTHON) -m venv $(SLITHER_VENV)
	$(SLITHER_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-slither.lock
	@touch $@

bench: setup
	@$(BIN)/zkmargin bench

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	node_modules/.bin/forge fmt

clean:
	rm -rf $(VENV) $(SLITHER_VENV) node_modules build
