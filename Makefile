# Every target does its own set-up: a machine with Python 3.11, git and make is enough.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
SLOW := tests

.PHONY: help solve test test-slow lint acceptance clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

solve: $(VENV)/.ready  ## solve Burgers' equation; the run and its picture go to runs/
	@mkdir -p runs
	$(BIN)/pinnsine solve burgers --out runs/burgers.h5 --plot runs/burgers.png

test: $(VENV)/.ready  ## run the test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

test-slow: $(VENV)/.ready  ## run the tests that take minutes each; SLOW=tests/nets those of a folder
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m slow $(SLOW)

lint: $(VENV)/.lint  ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

acceptance: $(VENV)/.ready  ## measure the figures the package promises, those of stale rows; writes docs/acceptance.md
	$(BIN)/python benchmarks/acceptance.py --jobs 2 --seed 0 --seed 1 --seed 2

clean:  ## remove the environment, builds and caches; runs/ stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The exact torch goes in first and alone, so that no later step can pull in another build of it.
$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) "$$(grep '^torch==' constraints.txt)"
	$(INSTALL) -e '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.ready
	$(INSTALL) -e '.[lint]'
	@touch $@
