# Two commands on a fresh machine: `make demo` shows the service at work, `make test` proves it.
# Both set up what they need; nothing outside .venv and node_modules is touched, except that root
# gets missing system packages (mosquitto) installed for the tests.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# A process for each core, each with servers of its own; a file's tests stay together and in order.
SIDE_BY_SIDE ?= -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
FAULTS ?= 200
SEED ?=

.PHONY: setup demo test page pictures faults lint bench lock clean

setup: .venv/.run

demo: .venv/.run
	@command -v npm >/dev/null && $(MAKE) -s page || echo "The page for people is left out; the API answers all the same."
	@$(BIN)/dala demo $(ARGS)

# The page for people, which the API then serves.
page: dashboard/dist/.made

# The pictures of the user guide, of the page as it is now.
pictures: .venv/.dev page
	@$(BIN)/python -m tests.dashboard.pictures docs/pictures

test: .venv/.dev lint-quick
	@bash tests/prepare.sh
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

# Kills, cuts and fills the running line; a failing run prints the seed that shows it again.
faults: .venv/.dev
	@bash tests/prepare.sh
	@$(BIN)/python -m tests.faults --faults $(FAULTS) $(if $(SEED),--seed $(SEED)) $(ARGS)

lint: .venv/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: lint-quick
lint-quick: .venv/.dev
	@$(BIN)/ruff check --quiet . && $(BIN)/lint-imports > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

bench: .venv/.run
	@$(BIN)/dala bench $(ARGS)

lock:
	uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o constraints/run.txt
	uv pip compile pyproject.toml --extra build --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c constraints/run.txt -o constraints/dev.txt

clean:
	rm -rf dashboard/node_modules dashboard/dist dashboard/openapi.json dashboard/src/api/schema.d.ts
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp a step, so that an interrupted set-up goes on where it stopped.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Dala needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Could not make .venv. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/.run: constraints/run.txt pyproject.toml | .venv/bin/python
	@echo "Installing Dala's packages into .venv …"; start=$$SECONDS; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints/run.txt \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . \
	&& touch $@ && echo "Packages installed in $$((SECONDS - start)) s."

.venv/.dev: constraints/dev.txt .venv/.run
	@echo "Installing the packages of the tests …"; start=$$SECONDS; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints/dev.txt \
	&& touch $@ && echo "Test packages installed in $$((SECONDS - start)) s."

.venv/.document: $(wildcard api/*.py api/*/*.py) | .venv/.run
	@$(BIN)/python -m api.document dashboard/openapi.json && touch $@

dashboard/node_modules/.made: dashboard/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null \
	|| { echo "The page needs Node.js 20.19 or newer with npm; here is $$(node --version 2>/dev/null || echo none)."; exit 1; }
	@echo "Installing the packages of the page …"; start=$$SECONDS; \
	cd dashboard && npm ci --silent --no-progress && touch node_modules/.made && echo "Packages installed in $$((SECONDS - start)) s."

dashboard/dist/.made: .venv/.document dashboard/node_modules/.made dashboard/index.html dashboard/vite.config.ts dashboard/tsconfig.json $(shell find dashboard/src dashboard/public -type f ! -name schema.d.ts)
	@start=$$SECONDS; cd dashboard && npm run -s types >/dev/null && npm run -s build -- --logLevel warn \
	&& touch dist/.made && echo "Page built in $$((SECONDS - start)) s."
