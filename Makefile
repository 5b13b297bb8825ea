# Everything anybody must know: make help
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.runtime ## .venv with the `ops` command

.venv/.runtime: requirements/runtime.txt pyproject.toml
	python3 -m venv .venv
	$(PY) -m pip install -q --require-hashes -r requirements/runtime.txt
	$(PY) -m pip install -q --no-deps -e .
	touch $@
