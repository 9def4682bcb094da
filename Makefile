# Every target sets up what it needs. PIP_INDEX_URL or PIP_EXTRA_INDEX_URL name another package index.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help run test check fix bench docs base clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.runtime  ## train the post's network on MNIST and show the digits it misreads
	$(BIN)/misread run mnist

test: $(VENV)/.development  ## run the tests
	$(BIN)/python -m pytest

check: $(VENV)/.development  ## lint, types, layers, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

fix: $(VENV)/.development  ## mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate_cli.py > docs/cli.md

docs: $(VENV)/.development  ## serve the documentation on this machine
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

bench: $(VENV)/.development  ## measure start-up, throughput and memory (see benchmarks/ for the rest)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/memory.py

base: $(VENV)-base/.installed  ## try the base install, which has no PyTorch
	$(VENV)-base/bin/python -c "import importlib.util as u; assert not u.find_spec('torch')"
	$(VENV)-base/bin/misread demo --no-open --study $(VENV)-base/demo-study

clean:  ## remove the virtual environments
	rm -rf $(VENV) $(VENV)-base

$(BIN)/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'misread needs Python 3.11 or newer; name one with PYTHON=')"
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing misread and PyTorch into $(VENV), a few minutes the first time"
	$(PIP) --editable '.[torch]'
	@touch $@

$(VENV)/.development: $(VENV)/.runtime
	@echo "installing the development tools into $(VENV)"
	$(PIP) --editable '.[torch,dev]'
	@touch $@

$(VENV)-base/.installed: pyproject.toml constraints.txt $(shell find src -name '*.py')
	$(PYTHON) -m venv $(VENV)-base
	$(VENV)-base/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt .
	@touch $@
