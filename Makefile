# Everything a newcomer types. All of it sets itself up in .venv on first use.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Many tests wait for phones and servers: twice as many side by side as this machine has cores. Those of
# one file stay together so that fixtures are shared; the order of the files is that of tests/conftest.py.
CORES  := $(shell nproc 2>/dev/null || echo 2)
WORKERS ?= $(shell echo $$(($(CORES) < 4 ? 2 * $(CORES) : 8)))
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Kept bytecode is for the hundreds of processes that tests start: otherwise each compiles all anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check format lint types contracts compiled collected bench rehearse answers soak interop wheel wheel-check lock clean

help:               ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Switchroom needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes --requirement requirements.lock
	PYTHONWARNINGS=ignore $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

demo: compiled      ## the whole product in this terminal
	$(BIN)/switchroom demo

test: compiled      ## every test
	$(PYTEST)

check: format lint types contracts test ## all that must be green before a commit

format: $(STAMP)    ## is the code formatted?
	$(BIN)/ruff format --check .

lint: $(STAMP)      ## ruff
	$(BIN)/ruff check .

types: $(STAMP)     ## mypy, strict
	$(BIN)/mypy

contracts: $(STAMP) ## who may import whom
	$(BIN)/lint-imports

compiled: $(STAMP)  ## the loops of sound and pacing as machine code: half a minute, once a version
	@$(BIN)/python -m switch.compiled
	@$(BIN)/python -m acd.compiled

collected: compiled ## can all tests be read? What is kept of that saves each test process half of its start
	@out=$$($(BIN)/python -m pytest --collect-only -qq 2>&1) || { printf '%s\n' "$$out"; exit 1; }

bench: compiled     ## measure this machine; figures go to docs/performance.md
	$(BIN)/switchroom bench

# Seeds of the long runs; make rehearse REHEARSE_SEEDS=10 tries it out.
REHEARSE_SEEDS ?= 100

rehearse: compiled  ## pacing against simulated people, all sizes and rules: two hours of one core; build/rehearse
	$(BIN)/python -m cti.bench.rehearse --seeds $(REHEARSE_SEEDS)

answers: compiled   ## who answered: judge the held-back part of the corpus; figures go to docs/answers.md
	$(BIN)/python -m tests.answers.report

# The length of a soak's parts; make soak SOAK_CALLS=500 SOAK_MINUTES=0.5 ... tries it out in short.
SOAK_CALLS     ?= 200000
SOAK_MINUTES   ?= 45
SOAK_RESTARTED ?= 200
SOAK_ROUNDS    ?= 5
SOAK_FLOOD_S   ?= 20
SOAK_FUZZ      ?= 10
# What docs/survival.md names of tests/peers (tests/architecture/test_survival.py): each round, and once.
# What is marked `long` runs once as well, wherever it stands.
SURVIVAL := $(addprefix tests/peers/test_,call_agent_restarts.py restart_between_steps.py failed_starts.py \
              lost_gateway.py lost_processes.py graceful_stop.py)
SURVIVAL_ONCE := $(addprefix tests/peers/test_,kill_matrix.py killed_phones.py conversations.py \
              parked_calls.py queue_music.py offers.py hang_ups.py presence.py several_gateways.py \
              remote_gateway.py store_away.py first_call.py restart_over_tcp.py secure_restarts.py \
              trunks.py encrypted_calls.py upgrade.py bad_input.py torture.py)

soak: compiled      ## for long: 200,000 calls at half load, kills, floods, damaged messages; report in build/soak
	@failed=""; \
	step() { \
	  name=$$1; shift; printf '\n=== %s: %s, begun at %s\n' "soak" "$$name" "$$(date +%T)"; \
	  "$$@" || { printf '=== soak: %s FAILED\n' "$$name"; failed="$$failed $$name"; }; \
	}; \
	step calls $(BIN)/python -m cti.bench.soak --calls $(SOAK_CALLS) --minutes $(SOAK_MINUTES); \
	step restart $(BIN)/python -m cti.bench.restart --calls $(SOAK_RESTARTED); \
	for round in $$(seq $(SOAK_ROUNDS)); do \
	  step "survival-$$round" $(BIN)/python -m pytest -q $(SURVIVAL); \
	done; \
	step survival-once $(PYTEST) -q $(SURVIVAL_ONCE); \
	step long $(BIN)/python -m pytest -q -m long; \
	step attack $(BIN)/python -m tests.attack --seconds $(SOAK_FLOOD_S); \
	step fuzz $(BIN)/python -m tests.fuzz --minutes $(SOAK_FUZZ); \
	step properties $(PYTEST) -q -m hypothesis --hypothesis-profile long --timeout 3600; \
	step fuzz-server $(BIN)/python -m tests.fuzz --minutes $(SOAK_FUZZ) --server; \
	if [ -n "$$failed" ]; then printf '\nsoak: FAILED:%s\n' "$$failed"; exit 1; fi; \
	printf '\nsoak: PASSED, all parts\n'

interop: compiled   ## calls with SIPp, Linphone, Kamailio and Chromium, as far as they are installed
	$(BIN)/python -m tests.interop

wheel: $(STAMP)     ## build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

wheel-check: $(STAMP) ## install the wheel and what it needs into an empty environment, and run the demo there
	SWITCHROOM_WHEEL_CHECK=empty $(BIN)/python -m pytest tests/architecture/test_installed.py --timeout 900

lock: $(STAMP)      ## resolve the dependencies anew
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --extra dev --extra softphone --extra speech --extra postgres \
	  --output-file requirements.lock pyproject.toml

clean:              ## remove what was built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
