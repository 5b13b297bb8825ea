# Everything anybody must know: make help
# Each target does all of its own set-up on a fresh Debian or Ubuntu with Python 3.11+.
PY := .venv/bin/python
PINS := pyproject.toml requirements/build.txt scripts/setup
WORKERS ?= 2
# Some machines forbid Python to keep what it compiled: each process of ours would
# compile all of ours again.
export PYTHONDONTWRITEBYTECODE :=
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check bench histories load faults fuzz sim \
	screenshots lint pins

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

setup: .venv/.runtime ## .venv with the `ops` command

setup-dev: .venv/.dev ## .venv with the tools for tests and checks as well

demo: .venv/.runtime ## a whole evening with a simulated crowd (FRESH=1 SPEED=2 KIND=..)
	@$(PY) -m ops.cli demo $(if $(filter 1,$(FRESH)),--fresh) \
		$(if $(SPEED),--speed $(SPEED)) $(if $(KIND),--kind $(KIND))

test: .venv/.dev ## all tests, each process with its own stores
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadfile \
		--no-loadscope-reorder $(ARGS)

check: lint test ## everything that must hold before a commit

bench: .venv/.dev ## every figure beside its baseline (BIG=1 for 1,000,000 tickets; ARGS=..)
	@$(PY) -m benchmarks $(if $(filter 1,$(BIG)),--big) $(ARGS)

histories: .venv/.dev ## 50,000 random evenings from both sources of facts (N=..)
	@HISTORIES=$(or $(N),50000) $(PY) -m pytest -q tests/integration/test_histories.py \
		tests/integration/test_claims.py

load: .venv/.dev ## a minute of gate rush and watching screens, with a verdict (ARGS=..)
	@$(PY) -m load_tests $(ARGS)

faults: .venv/.dev ## every fault under load, what was lost or doubled (ARGS='--only Valkey')
	@$(PY) -m tests.faults $(ARGS)

fuzz: .venv/.dev ## ask the API whatever its document allows (EXAMPLES=40 ONLY=/contacts)
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),40) FUZZ_ONLY=$(ONLY) $(PY) -m pytest -q \
		tests/integration/crm/test_fuzz.py $(ARGS)

sim: .venv/.dev ## simulated evenings by seed, every invariant checked (SEEDS=100000 ARGS=..)
	@$(PY) -m tests.sim $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

screenshots: .venv/.dev ## every page of the running demo in each size, into out/looks (ONLY=tv)
	@$(PY) -m tests.looks $(if $(ONLY),--only '$(ONLY)') $(ARGS)

lint: .venv/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

pins: ## compile requirements/*.txt from pyproject.toml (needs uv)
	scripts/pins $(ARGS)

.venv/.runtime: $(PINS) requirements/runtime.txt
	@scripts/setup runtime

.venv/.dev: $(PINS) requirements/dev.txt
	@scripts/setup dev
