# `make demo` and `make test` do all their own set-up; see README.md.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
PIP := PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
DECLARED := setup.cfg pyproject.toml constraints.txt

SHORT := guard journal stream

.PHONY: help demo test coverage check prove bench bench-peers docs conformance-ibinsync clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

.venv/.base: $(DECLARED)
	@if [ -z "$(PYTHON)" ]; then \
		echo 'Seawall needs Python 3.11, 3.12 or 3.13: install one, or say make PYTHON=/path/to/python' >&2; \
		exit 2; fi
	@echo 'Setting up .venv (once; a minute or two)'
	$(PYTHON) -m venv --clear .venv
	$(PIP) --editable '.[live]'
	@touch $@

.venv/.dev: .venv/.base
	@echo 'Adding what the tests and checks need (once)'
	$(PIP) --editable '.[dev]'
	@touch $@

demo: .venv/.base  ## backtest, rehearse under a storm of faults, trade on paper for half a minute
	@$(BIN)/python -m backtest demo
	@echo -e '\nThe same strategy, backtest and live stack, under a storm of faults:'
	@$(BIN)/python -m live rehearse sma_cross --faults storm
	@echo -e '\nPaper trading at the embedded venue, accelerated, for half a minute:'
	@$(BIN)/python -m live --for 30s

# Some tests wait, for a session or a page: one worker more than there are cores.
PYTEST = $(BIN)/python -m pytest --dist=worksteal --numprocesses=$(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# These reach all of brokers/, what money passes through. To watch the lines of every test takes twice as long.
COVERING := tests/brokers tests/contract/test_transports.py tests/live/test_split.py \
	tests/live/test_rehearsal_pipe.py tests/live/test_shutdown.py tests/live/paper/test_tws_faults.py \
	$(wildcard tests/feeds/test_ibkr*.py tests/feeds/test_portal*.py)

test: .venv/.dev  ## run the tests, with a fixed sample of every long proof; brokers/ is covered wholly
	$(PYTEST) $(COVERING) --cov=brokers --cov-branch --cov-report=
	$(PYTEST) tests $(COVERING:%=--ignore=%)
	$(BIN)/python -m coverage report --include='brokers/*' --skip-covered --fail-under=100

coverage: .venv/.dev  ## run the tests and see which lines and branches of all rooms they reach
	$(PYTEST) --cov --cov-branch --cov-report=
	$(BIN)/python -m coverage report --skip-covered --fail-under=95

check: .venv/.dev  ## lint, format, types, layers, sizes; whether the short benchmarks run
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.house.sizes
	$(BIN)/python -m pytest --quiet --benchmark-disable $(SHORT:%=benchmarks/test_%.py)

prove: .venv/.dev  ## all long proofs, on all cores; goes on where it was stopped
	$(BIN)/python -m tests.prove

bench: .venv/.dev  ## measure speed and memory, side by side
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-columns=min,median,max,rounds

bench-peers: .venv/.dev  ## compare with other backtesters, each in an environment of its own
	$(BIN)/python -m benchmarks.peers.environments
	$(BIN)/python -m benchmarks.peers

conformance-ibinsync: .venv/.dev  ## the real ib_insync at our gateway, in an environment of its own
	$(BIN)/python -m tests.live.conformance.insync

docs: .venv/.dev  ## build the documentation into out/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

clean:  ## remove the environment and everything made
	rm -rf .venv build out .coverage* .prove .mypy_cache .ruff_cache .hypothesis *.egg-info
