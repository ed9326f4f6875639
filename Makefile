# Setright's daily commands; `make help` lists them.
PORT ?= 8000
PREDICTOR_PORT ?= $(shell expr $(PORT) + 1)
# Demo projects, accounts and the "act as" switch: on for `make run`, off wherever nobody says so.
DEMO ?= yes
PYTHON = .venv/bin/python

# Compiled once and kept: without it every process compiles Django anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check fix browser bench rehearse docs lock
.DEFAULT_GOAL := help

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run:  ## Start the product with its demo on 127.0.0.1:8000 (PORT=9000 for another, DEMO=no without)
	@exec env PORT=$(PORT) PREDICTOR_PORT=$(PREDICTOR_PORT) DEMO=$(DEMO) bin/run

test:  ## Judge everything: both databases, real broker, workers and browser
	@bin/test

check:  ## Lint, types, import rules, sizes, migrations, templates, API schema
	@bin/check

fix:  ## Format and mend what can be mended by itself
	@bin/setup dev
	@$(PYTHON) -m ruff check --fix --quiet . ; $(PYTHON) -m ruff format --quiet . ; bin/templates fix

browser:  ## Only the browser tests, on SQLite
	@bin/setup dev
	@$(PYTHON) -m pytest tests/browser

bench:  ## Measure speed, each beside its floor in the same run
	@bin/setup dev
	@$(PYTHON) -m bench

rehearse:  ## The loop on labeled history, five seeds, people simulated (ON="--data FILE ..." for your data)
	@bin/setup dev
	@$(PYTHON) -m bench.rehearsals $(ON)

docs:  ## Write the generated pages: settings, commands, API, .env.example
	@bin/setup dev
	@$(PYTHON) manage.py write_reference

lock:  ## Pin the dependencies anew (UPGRADE=--upgrade for newer ones)
	@bin/setup dev
	@bin/lock $(UPGRADE)
