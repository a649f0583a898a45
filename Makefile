# Every command that a person or CI needs. Each sets up what it needs first, and only when the lock
# files changed since.

PYTHON ?= python3
UV     := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help run test check format lock web clean

help:            ## Show this.
	@sed -n 's/^\([a-z]*\):.*## /make \1|/p' Makefile | column -t -s '|'

run: $(VENV)/.run            ## Serve the page at http://localhost:7860 (ARGS="--port 8000" for more).
	$(BIN)/python runner.py $(ARGS)

test: $(VENV)/.dev            ## Run every test, in a real browser too (ARGS="-k typed" for some).
	@$(BIN)/python tests/browser.py
	$(BIN)/pytest $(ARGS)

check: $(VENV)/.dev web/node_modules/.ready            ## Lint, format check, types; the built page is its source.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	cd web && npm run --silent check && npm run --silent verify-dist

format: $(VENV)/.dev            ## Put the code into its one format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

web: web/node_modules/.ready            ## Build the page into web/dist.
	cd web && npm run --silent build

lock: $(UV)            ## Pin the newest versions that pyproject.toml allows.
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --upgrade \
	    pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --upgrade \
	    --group dev -c requirements.lock -o requirements-dev.lock

clean:            ## Remove what these commands made, except logs.
	rm -rf $(VENV) .tools web/node_modules .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.run: requirements.lock | $(UV)
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python '>=3.11,<3.14' $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/.run
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

# The page's tests need Node.js; running it does not.
web/node_modules/.ready: web/package-lock.json
	@command -v npm >/dev/null || { echo "make check needs Node.js 20 or newer (npm)."; exit 1; }
	cd web && npm ci --silent
	@touch $@

# uv in a folder of the project, where the machine has none.
.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Salon needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv .tools 2>/dev/null \
	    || { echo "Python's venv module is missing (Debian: apt-get install python3-venv)."; exit 1; }
	.tools/bin/pip install --quiet --disable-pip-version-check uv
