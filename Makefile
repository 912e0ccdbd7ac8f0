# What a person does with Amaan. `make help` lists it.

PYTHON := .venv/bin/python
LOCK := .venv/bin/uv pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test run bench bench-vision check lock openapi readme clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F '\t' '{printf "make %-12s %s\n", $$1, $$2}'

setup: ## install all that is needed into this folder; silent when nothing is to be done
	@deploy/setup

demo: setup ## an SOS, a warned district, the helpline, cameras and a blast, watched from outside (CHAPTER=… plays one)
	@.venv/bin/amaan demo $(CHAPTER)

test: setup check ## check the code and run every test (ARGS="-k sos" narrows it)
	@$(PYTHON) -c 'from sandbox import smsc; smsc.build()'
	@$(PYTHON) -m pytest -n 2 $(ARGS)

run: setup ## the whole city on this machine until Ctrl-C
	@.venv/bin/amaan up

bench: setup ## measure, and write bench/results.json and bench/results.md
	@$(PYTHON) -m bench

bench-vision: setup ## measure camera analytics on the footage in ../shared/footage, and write bench/vision.md
	@nice -n 5 $(PYTHON) -m bench.vision --write

check: setup ## style, types, and the direction of imports
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-logo

lock: setup ## pin the requirements anew, with hashes
	@$(LOCK) --extra vision --extra dev -o requirements-vision.txt
	@$(LOCK) -c requirements-vision.txt -o requirements.txt

openapi: setup ## write what of mobile-contract/ comes from the code: openapi.json, error-codes.md, states.md, sms/, push/examples/
	@.venv/bin/amaan openapi mobile-contract/openapi.json
	@.venv/bin/amaan error-codes mobile-contract/error-codes.md
	@.venv/bin/amaan states mobile-contract/states.md
	@.venv/bin/amaan messages mobile-contract

readme: setup ## write the table of settings in README.md from runtime/settings.py
	@.venv/bin/amaan settings --write README.md

clean: ## take away what was made here, but the environment and the data of `make run`
	@rm -rf sandbox/docstore/target sandbox/smsc/target .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
