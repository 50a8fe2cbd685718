# `make` names what there is. Everything is installed into .venv, from hash-pinned locks.
TEMPLATE := <<cookiecutter.project>>
BIN := .venv/bin
STAMP := .venv/installed
PYTHON ?= $(or $(UV_PYTHON),python3)
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
  --no-annotate --python-version 3.11 --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help setup demo sample test test-all quick lint docs tables bake bench bench-gate bench-public gauntlet honest \
  lock node browser

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' Makefile

setup: $(STAMP) ## Install both locks, and assay as it stands here, into .venv

# compiled once: where bytecode may not be written, each of the many processes would compile anew
$(STAMP): requirements-dev.lock $(TEMPLATE)/requirements.lock pyproject.toml
	@if [ -L .venv ]; then \
	  echo ".venv is a link, and what it leads to would be replaced: remove the link." >&2; exit 2; \
	fi
	@printf 'Installing into .venv, a minute or two: requirements-dev.lock ... '
	@if uv --version > /dev/null 2>&1; then \
	  uv venv --quiet --clear --python $(PYTHON) .venv && \
	  uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes \
	    -r requirements-dev.lock; \
	else \
	  $(PYTHON) -m venv --clear .venv && \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock; \
	fi
	@printf 'requirements.lock ... '
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes \
	  -r "$(TEMPLATE)/requirements.lock"
	@printf 'assay ... '
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@echo 'done.'
	@touch $(STAMP)

demo: setup ## Take the example from the template to a certified batch of predictions
	@$(BIN)/python scripts/demo.py

sample: setup ## Make the report that README.md and docs/report.html show, from a run of the example
	@$(BIN)/python scripts/sample_report.py

# what is nightly, and what stands in INPUTS of tests/schedule.py and has not changed, is left out
test: setup node browser lint ## Check what every push must hold: up to 20 minutes
	$(PYTEST) -m "not nightly and not wide" --changed $(PARALLEL) --durations=25

# writes tests/durations.json and tests/inputs.json, which are part of a commit
test-all: setup node browser lint ## Check everything but three installations more: half an hour or more
	$(PYTEST) -m "not wide" --record $(PARALLEL) --durations=25

quick: setup ## Check all that is not slow: two minutes
	$(PYTEST) -m "not slow and not nightly" -n auto

lint: setup ## Check style and types
	$(BIN)/ruff check --config pyproject.toml .
	$(BIN)/ruff format --config pyproject.toml --check .
	$(BIN)/mypy src/assay scripts hooks benchmarks/gate

docs: setup ## Build the documentation into build/docs
	@$(BIN)/python -m sphinx -b html -W --keep-going -n -E -q docs build/docs
	@echo "Open build/docs/index.html."

tables: setup ## Write the tables of docs/appendix and the list of error sentences again
	@PYTHONPATH=tests $(BIN)/python -m doc_tables
	@$(BIN)/python scripts/error_codes.py

bake: setup ## Render the template in many ways, install it on each Python, with uv and without
	$(PYTEST) tests/test_template.py

# five minutes, or the whole protocol in half an hour: BENCH=full make bench-gate
bench-gate: setup ## Attack the gate and measure how well it holds
	@$(BIN)/python -m benchmarks.gate $(if $(filter full,$(BENCH)),--full)

# more than an hour
gauntlet: setup ## Plant good and bad pull requests and see which check catches them
	@export PYTHONPATH=tests; failed=0; \
	$(BIN)/python -m gauntlet || failed=1; \
	$(BIN)/python -m gauntlet.acts || failed=1; \
	exit $$failed

# half an hour
honest: setup ## Make a hundred honest changes and see that each passes
	@PYTHONPATH=tests $(BIN)/python -m honest.bot --update

bench-public: setup ## Measure how often public evidence errs, with models fitted again
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.gate.public_evidence

bench: setup ## Measure the speed of what is slow
	@for script in benchmarks/*.py; do $(BIN)/python "$$script" || exit 1; done

node: tests/workflow_parser/node_modules/.package-lock.json tests/accessibility/node_modules/.package-lock.json

# GitHub's own workflow parser and axe-core, which judges the report's page, are npm packages;
# without npm their tests skip, except with CI=true
tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	@if command -v npm > /dev/null; then \
	  npm ci --prefix tests/$* --ignore-scripts --no-audit --no-fund; \
	fi

# The report's page is tested in a browser of the system. Where none is there, and it cannot be
# installed (no apt-get, or not root), those tests skip, except with CI=true
browser:
	@if ! command -v chromium > /dev/null && ! command -v google-chrome > /dev/null && \
	  command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq -o Acquire::Retries=3 && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq -o Acquire::Retries=3 chromium > /dev/null; \
	fi

lock: setup ## Fit both locks to what they come from; all to the newest: make lock UPGRADE=--upgrade
	$(BIN)/python scripts/lock.py $(UPGRADE)
	$(COMPILE) $(UPGRADE) --constraint "$(TEMPLATE)/requirements.lock" --output-file requirements-dev.lock \
	  requirements-dev.in
