# Everything that CI runs is `make test`, and everything that a new user needs is `make run`.
# The work is done by small scripts in scripts/; each sets up what it needs and is quick when nothing changed.
#
#   PYTHON=/path/to/python3.12   another interpreter than the first fitting one (3.11 or newer)

SHELL := /bin/bash
export PYTHON
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test lint unit bench bench-large set-up lock wheel image-check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## set up and start the server with a demonstration organization (RENRAKU_PORT, RENRAKU_DATA)
	@scripts/helpers
	@scripts/venv run
	@scripts/web
	@exec $(BIN)/renraku demo

test: ## set up and run everything that CI runs
	@scripts/test all

lint: ## ruff, mypy, the import contract, svelte-check
	@scripts/test lint

unit: ## the tests that need no browser, no container and no killed processes
	@scripts/test unit

bench: set-up ## measure against the floor; writes bench/results.json
	@$(BIN)/python -m bench

bench-large: set-up ## the figures that take gigabytes of disk and many minutes; writes bench/results.json
	@$(BIN)/python -m bench --large

set-up: ## .venv with the development tools, and the client
	@scripts/venv dev
	@scripts/web

lock: ## write the lock files anew from pyproject.toml (UPGRADE=1 takes the newest)
	@scripts/lock

wheel: set-up ## dist/renraku-….whl, with the client inside
	@rm -rf dist
	@$(BIN)/python -m build --wheel --no-isolation

image-check: set-up ## build the container image without a Docker engine, start it, stop it
	@$(BIN)/python -m pytest tests/packaging/test_image.py

clean: ## remove what was built; keeps the data
	rm -rf .venv web/node_modules chat_server/web dist
