# Every command that a person or CI needs. Each sets up what it needs first, and only when the lock
# files changed since.

PYTHON ?= python3
UV     := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
# Most tests wait for somebody to finish speaking: three at a time (tests/conftest.py says which).
# Browsers take a core each, and those that measure want the machine to themselves: they come after.
# What fails with others beside it runs once more by itself, and that decides (not where more than 15
# fail, or pytest stops for another reason). pytest prints what failed in both runs.
# 5: there are none among ARGS.
CROWD  := $(BIN)/python tests/in_a_crowd.py
# Node.js comes from a package too, so that nobody has to install it.
NPM    := cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm --silent

.DEFAULT_GOAL := help
.PHONY: help run call test check branches conformance reliability bench bench-serving bench-plots bench-frames bench-understudy fuzz format lock web clean

help:            ## Show this.
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' Makefile | column -t -s '|'

run: $(VENV)/.run            ## Serve the page at http://localhost:7860 (ARGS="--port 8000" for more).
	$(BIN)/python runner.py $(ARGS)

call: $(VENV)/.run            ## Ring a server that runs offline, as a telephone would (ARGS="--wav FILE"; ARGS=--help for more).
	@$(BIN)/python -m serving.ring $(ARGS)

test: web/node_modules/.ready            ## Run every test, in a real browser too (ARGS="-k typed" for some).
	@$(BIN)/python tests/browser.py
	@$(BIN)/python tests/coturn.py
	$(CROWD) 3 -m "not alone and not page" $(ARGS)
	$(CROWD) 2 -m "page and not alone" $(ARGS)
	$(BIN)/pytest -m alone $(ARGS) || [ $$? -eq 5 ]
	$(NPM) test

branches: $(VENV)/.dev            ## Show that the tests of what decides take every branch of it.
	@$(BIN)/coverage run -m pytest -q tests/test_link.py tests/test_waiting.py tests/test_exchange.py \
	    tests/test_calls.py tests/test_patience.py tests/test_refusals.py \
	    tests/test_playout_buffer.py tests/test_playout_parts.py \
	    tests/test_frame_change.py tests/test_frame_schedule.py tests/test_line_quality.py \
	    tests/test_jitter_buffer.py tests/test_gathering.py \
	    tests/test_ice_servers.py tests/test_settings.py \
	    tests/test_costs.py tests/test_limits.py \
	    tests/phone/test_silence.py tests/phone/test_dialing.py tests/phone/test_about.py \
	    tests/access/test_api_keys.py tests/access/test_exposure.py tests/access/test_origins.py \
	    tests/access/test_key_schedule.py tests/access/test_rates.py tests/access/test_webhooks.py \
	    tests/serving/test_watch.py tests/serving/test_slots.py tests/serving/test_admission.py
	@$(BIN)/coverage report

conformance: $(VENV)/.run            ## Run five published clients against the understudy; writes docs/conformance.md.
	$(BIN)/python -m conformance.run $(ARGS)

reliability: $(VENV)/.dev            ## Break the model's service in every way in every state; writes docs/reliability.md.
	$(BIN)/python -m tests.reliability.run $(ARGS)

bench: $(VENV)/.dev            ## Time media through Salon and its peers (an hour; ARGS="--quick" for one); writes bench/results/media.md and plots.
	$(BIN)/python -m bench.media $(ARGS)

bench-serving: $(VENV)/.dev            ## Time starts of sessions, their memory and what they leave (20 minutes; ARGS="--quick" for three); writes bench/results/serving.md.
	$(BIN)/python -m bench.serving $(ARGS)

bench-plots: $(VENV)/.dev            ## Draw the plots of docs/performance.md again from bench/results/media.json.
	$(BIN)/python -m bench.media.plots $(ARGS)

bench-understudy: $(VENV)/.dev            ## Load the understudy for a minute; writes bench/results/understudy-load.md.
	$(BIN)/python -m bench.understudy_load

bench-frames: $(VENV)/.dev            ## What showing the model only what changes saves and loses; writes bench/results/frames.md.
	$(BIN)/python -m bench.frames

fuzz: $(VENV)/.dev            ## Say a million wrong things to the understudy (ARGS="--count 10000" for fewer).
	$(BIN)/python -m bench.understudy_fuzz $(ARGS)

check: web/node_modules/.ready            ## Lint, format check, types; the built page is its source.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(NPM) run check
	$(NPM) run verify-dist

format: $(VENV)/.dev            ## Put the code into its one format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

web: web/node_modules/.ready            ## Build the page into web/dist.
	$(NPM) run build

lock: $(UV)            ## Pin the newest versions that pyproject.toml allows.
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --upgrade \
	    pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --upgrade \
	    --group dev -c requirements.lock -o requirements-dev.lock
	for client in conformance/locks/*.in bench/peers/*/*.in; do \
	    $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	        --upgrade $$client -o $${client%.in}.lock || exit 1; \
	done
	$(UV) run --quiet --no-project --isolated --with-requirements conformance/locks/node.lock \
	    npm --silent --prefix conformance/javascript update --package-lock-only

clean:            ## Remove what these commands made, except logs.
	rm -rf conformance/.envs bench/peers/.envs conformance/javascript/node_modules
	rm -rf $(VENV) .tools web/node_modules .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.run: requirements.lock | $(UV)
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python '>=3.11,<3.14' $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

web/node_modules/.ready: web/package-lock.json | $(VENV)/.dev
	$(NPM) ci
	@touch $@

# uv in a folder of the project, where the machine has none.
.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Salon needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv .tools 2>/dev/null \
	    || { echo "Python's venv module is missing (Debian: apt-get install python3-venv)."; exit 1; }
	.tools/bin/pip install --quiet --disable-pip-version-check uv
