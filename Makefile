# Everything a newcomer types. All of it sets itself up in .venv on first use.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Two cores run the fast tests side by side; tests of one file stay together so that fixtures are shared.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: demo test check format lint types contracts bench lock clean

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(STAMP)      ## the whole product in this terminal
	$(BIN)/switchroom demo

test: $(STAMP)      ## every test
	$(PYTEST)

check: format lint types contracts test

format: $(STAMP)
	$(BIN)/ruff format --check .

lint: $(STAMP)
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP)     ## measure this machine; figures go to docs/performance.md
	$(BIN)/switchroom bench

lock: $(STAMP)      ## resolve the dependencies anew
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --extra dev --extra softphone --extra postgres --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
