# The verbs of this project. `make` alone explains them; CI calls the same ones.

PYTHON ?= python3
VENV ?= .venv
# Test processes. 0 runs everything in one, which is the mode for a debugger.
WORKERS ?= 2
# Seconds that one soak test may take.
SOAK_TIMEOUT ?= 7200
# More for the command behind a verb: make test ARGS="-k retry -x"
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/.stoker-installed
LOCKED := $(VENV)/.stoker-locked
LOCK_TOOLS := build/lock
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo fmt check test core bench peers docs lock build soak clean

help: ## say what each verb does
	@echo "usage: make VERB [PYTHON=python3] [VENV=.venv] [WORKERS=2] [ARGS=...]"; echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## install the locked tools and Stoker itself into .venv

demo: $(READY) ## show Stoker at work on examples/depot
	$(BIN)/stoker demo $(ARGS)

fmt: $(READY) ## format the code and repair what can be repaired
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

check: $(READY) ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo

# Two runs: the blocks of a page are one story, and two tests of real processes at once would disturb
# each other. Where ARGS selects nothing in one of the runs, pytest's exit code is 5.
test: $(READY) ## run the tests, the code blocks of the documentation included
	$(BIN)/python -m pytest tests --ignore tests/cli --ignore tests/system \
	  -n $(WORKERS) --dist loadfile $(ARGS) || [ $$? -eq 5 ]
	$(BIN)/python -m pytest README.md docs tests/cli tests/system $(ARGS) || [ $$? -eq 5 ]

# Without what is the same on every Python: types, pages, the depot, and the longest faults.
core: $(READY) ## run the tests that another Python could change
	$(BIN)/python -m pytest tests/unit tests/contract --ignore tests/unit/test_typing.py \
	  -n $(WORKERS) --dist loadfile $(ARGS) || [ $$? -eq 5 ]
	$(BIN)/python -m pytest tests/cli/test_worker.py $(addprefix tests/system/test_, \
	  blocked_loop.py cancel.py children.py fork.py shutdown.py timeouts.py) $(ARGS) || [ $$? -eq 5 ]

bench: $(READY) ## measure, beside a peer
	$(BIN)/python -m benchmarks $(ARGS)

peers: $(READY) ## measure beside Celery, BullMQ and others (needs Node)
	$(BIN)/python -m benchmarks.peers $(ARGS)

docs: $(READY) ## build the documentation into site/; a broken link is an error
	$(BIN)/python -m mkdocs build --strict $(ARGS)

lock: ## renew the lists of what is installed (ARGS=--upgrade: to the newest of everything)
	@$(require_python)
	$(PYTHON) -m venv $(LOCK_TOOLS)
	$(LOCK_TOOLS)/bin/python -m pip --disable-pip-version-check install --quiet uv==$(UV_VERSION)
	$(LOCK_TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	  --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" \
	  --output-file requirements/dev.txt $(ARGS) pyproject.toml requirements/dev.in
	for name in requirements requirements-arq; do \
	  $(LOCK_TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" \
	  --output-file benchmarks/$$name.txt $(ARGS) benchmarks/$$name.in || exit 1; done

build: $(READY) ## make the wheel and the source archive in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

soak: $(READY) ## run the tests that take minutes to hours
	$(BIN)/python -m pytest -m soak --timeout $(SOAK_TIMEOUT) $(ARGS)

clean: ## remove everything that the other verbs made
	rm -rf build dist site .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./.git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -e "$(LOCKED)" ]; then echo rm -rf "$(VENV)"; rm -rf "$(VENV)"; fi

# Two stamps: a new lock makes a new environment, so that nothing it no longer names lingers;
# a new pyproject.toml installs only Stoker again.
$(LOCKED): requirements/dev.txt
	@$(require_python)
	@$(require_own_venv)
	@echo "Installing the development tools into $(VENV); the first time takes a minute or two."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

define require_python
if ! command -v "$(PYTHON)" >/dev/null 2>&1; then \
  echo "stoker: there is no '$(PYTHON)' here."; \
  echo "hint: install Python 3.11 or newer, or name yours: make setup PYTHON=/path/to/python3"; \
  exit 1; \
fi; \
if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
  echo "stoker: '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1); Stoker needs Python 3.11 or newer."; \
  echo "hint: install a newer one, then: make setup PYTHON=python3.13"; \
  exit 1; \
fi; \
if ! "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then \
  echo "stoker: '$(PYTHON)' cannot make virtual environments: its venv or ensurepip is missing."; \
  echo "hint: on Debian or Ubuntu: apt install python3-venv"; \
  exit 1; \
fi
endef

# `venv --clear` empties the folder it is given.
define require_own_venv
if [ -e "$(VENV)" ] && [ ! -e "$(VENV)/pyvenv.cfg" ]; then \
  echo "stoker: '$(VENV)' exists and is no virtual environment, so it is left alone."; \
  echo "hint: remove it, or choose another: make setup VENV=.venv-stoker"; \
  exit 1; \
fi
endef
