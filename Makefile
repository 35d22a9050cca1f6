# Two commands do everything on a fresh machine with Python >= 3.11: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHIPPED := libs/common services/registry services/activity services/metrics
MEMBERS := $(SHIPPED) libs/client-events deploy/local
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate $(foreach m,common registry activity metrics client-events local,--no-emit-package nastavnik-$(m))
CLIENTS ?= dist/client-http
SCALE ?= sample
MINUTES ?= 30
SEED ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run demo test drills check lint types contracts bench soak docs clients lock sbom clean

help:  ## show this help
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.installed  ## the whole system on this machine, with the sample region; stays up until Ctrl-C
	@exec $(BIN)/nastavnik run --scale $(SCALE) $(ARGS)

demo: $(VENV)/.installed  ## the same scenario; checks the figures against an independent recomputation and exits
	@exec $(BIN)/nastavnik demo --scale $(SCALE) $(ARGS)

test: $(VENV)/.installed  ## every test, on a real PostgreSQL and a real Kafka
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

drills: $(VENV)/.installed  ## backup, rolling restart, upgrade, least rights, and a fuzzer at the three APIs
	SCHEMATHESIS_PHASES=examples,coverage,fuzzing,stateful \
		$(BIN)/python -m pytest -q -m drill tests/system $(ARGS)

check: lint types contracts  ## lint, types, import contracts, generated documents

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

contracts: $(VENV)/.installed
	$(BIN)/lint-imports
	$(BIN)/nastavnik contract check

docs: $(VENV)/.installed  ## regenerate the committed schemas, AsyncAPI and OpenAPI documents
	$(BIN)/nastavnik contract write

soak: $(VENV)/.installed  ## the whole system under load while it is broken at random; MINUTES=30 SEED=
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: $(VENV)/.installed  ## benchmarks, each beside a floor of the same run
	-@$(MAKE) --no-print-directory .cache/quix/.installed  # a peer; without it, a row less
	$(BIN)/python -m tests.bench $(ARGS)

.cache/quix/.installed: tests/bench/quix.lock | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .cache/quix
	$(UV) pip sync --quiet --python .cache/quix/bin/python --require-hashes $<
	@touch $@

clients: .cache/generator/.installed  ## typed clients of the HTTP APIs, generated into dist/client-http
	rm -rf $(CLIENTS) && mkdir -p $(CLIENTS)
	cp libs/client-http/pyproject.toml libs/client-http/README.md $(CLIENTS)
	@for service in registry activity metrics; do \
		.cache/generator/bin/openapi-python-client generate --meta none \
			--path docs/openapi/$$service.json --config libs/client-http/generator.yml \
			--output-path $(CLIENTS)/nastavnik_$${service}_client || exit 1; \
		touch $(CLIENTS)/nastavnik_$${service}_client/py.typed; \
	done

.cache/generator/.installed: libs/client-http/requirements.lock | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .cache/generator
	$(UV) pip sync --quiet --python .cache/generator/bin/python --require-hashes $<
	@touch $@

lock: $(UV)  ## recompile requirements*.lock from the members' pyproject files
	$(COMPILE) $(MEMBERS:%=%/pyproject.toml) --group dev -o requirements.lock
	$(COMPILE) -c requirements.lock $(SHIPPED:%=%/pyproject.toml) -o requirements-runtime.lock
	$(COMPILE) -c requirements.lock $(SHIPPED:%=%/pyproject.toml) --extra otel -o requirements-otel.lock
	echo hatchling | $(COMPILE) -c requirements.lock - -o requirements-build.lock
	echo openapi-python-client | $(COMPILE) - -o libs/client-http/requirements.lock
	echo quixstreams | $(COMPILE) - -o tests/bench/quix.lock

sbom: $(VENV)/.installed  ## a CycloneDX document of what the image carries, into dist/sbom.json
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements-runtime.lock --output-reproducible --output-file dist/sbom.json

$(VENV)/.installed: requirements.lock $(MEMBERS:%=%/pyproject.toml) | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@touch $@

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

clean:  ## remove the environment and all local data
	rm -rf $(VENV) .uv .data .mypy_cache .ruff_cache .import_linter_cache .hypothesis
