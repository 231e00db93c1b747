# Every target does its own set-up: it needs python3 (3.11 to 3.14), make and a package index.
# PYTHON=python3.13 takes another one.

PYTHON ?= python3
ARGS ?=
SEED ?=
SEEDS ?=
# A directory for each Python that is asked for: .venv, and .venv-python3.13 for PYTHON=python3.13.
VENV := .venv$(addprefix -,$(notdir $(filter-out python3,$(PYTHON))))
VENV_PYTHON := $(VENV)/bin/python
SET_UP := PENSTOCK_VENV=$(VENV) $(PYTHON) tools/bootstrap.py
PYTEST := $(VENV_PYTHON) -m pytest -n auto --maxprocesses 8 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-fast sim bench bench-quick bench-page check format docs lock run-environment dev-environment clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) \
		| awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

demo: run-environment ## watch changes flow from a table to a consumer, and prove that none is lost
	@$(VENV)/bin/penstock demo $(ARGS)

serve: run-environment ## start a server; ARGS="--port 8000 --data DIR"
	@$(VENV)/bin/penstock serve $(ARGS)

test: dev-environment ## run the whole test-suite; ARGS="-k streams" narrows it
	@$(PYTEST) $(ARGS)

test-fast: dev-environment ## run the tests that are not marked slow
	@$(PYTEST) -m "not slow" $(ARGS)

sim: dev-environment ## simulate many runs; SEED=7 replays one, SEEDS=1000 takes so many
	@PYTHONPATH=tests $(VENV_PYTHON) -m simulation \
		$(addprefix --seed ,$(SEED)) $(addprefix --seeds ,$(SEEDS)) $(ARGS)

bench: dev-environment ## measure Penstock beside its peers; ARGS="--only put,get --rounds 7"
	@$(VENV_PYTHON) -m bench $(ARGS)

bench-quick: dev-environment ## the first five figures of it, in under 90 s
	@$(VENV_PYTHON) -m bench --quick $(ARGS)

bench-page: dev-environment ## write docs/performance.md from the newest full run of make bench
	@$(VENV_PYTHON) -m bench page $(ARGS)

check: dev-environment ## format, lint, types, import rules, sizes, docs, surface, lock
	@$(VENV_PYTHON) tools/check.py $(ARGS)

format: dev-environment ## rewrite the sources in the house format
	@$(VENV_PYTHON) -m ruff check --quiet --fix-only .
	@$(VENV_PYTHON) -m ruff format .

docs: dev-environment ## write docs/settings.md and docs/records.md again, from their tables
	@$(VENV_PYTHON) tools/settings_page.py
	@$(VENV_PYTHON) tools/records_page.py

lock: dev-environment ## write requirements/*.lock again; ARGS=--upgrade takes the newest
	@$(VENV_PYTHON) tools/lock.py $(ARGS)

clean: ## remove the environments and everything else that can be made again
	@rm -rf .venv .venv.guard .venv-* dist build .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis .cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

run-environment:
	@$(SET_UP) run

dev-environment:
	@$(SET_UP) dev
