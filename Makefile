# Works from any folder, whatever the path of this one: make -C DIR up, make -f DIR/Makefile up.
HERE := $(shell cd "$$(dirname "$$(printf '%s' "$(MAKEFILE_LIST)" | sed 's/^ //')")" && pwd -P)
SET_UP := "$(HERE)/scripts/set-up"
BIN := $(HERE)/.venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: up test coverage check bench bench-relevance format migration schema docs lock image clean help

up: ## The whole product at http://127.0.0.1:8000 (PORT=, DATA_DIR=, DEMO=0); Ctrl-C stops it
	@$(SET_UP) up
	@exec "$(BIN)/jobboard" up $(ARGS)

test: ## The whole test suite on engines of its own (ARGS="-k words")
	@$(SET_UP) dev
	@exec "$(HERE)/scripts/run-tests" $(ARGS)

coverage: ## The suite once more, with the lines and branches that it never reaches (ARGS=tests/api)
	@$(SET_UP) dev
	@exec "$(HERE)/scripts/coverage" $(ARGS)

check: ## Format, lint, types, import contracts; migrations, API schema, documentation in step
	@$(SET_UP) dev
	@cd "$(HERE)" && "$(BIN)/ruff" format --check --quiet . && "$(BIN)/ruff" check --quiet .
	@cd "$(HERE)" && "$(BIN)/ty" check --no-progress --output-format concise
	@cd "$(HERE)" && "$(BIN)/lint-imports" --no-logo
	@cd "$(HERE)" && "$(BIN)/python" scripts/check_migrations.py
	@cd "$(HERE)" && "$(BIN)/python" -m scripts.check_api
	@cd "$(HERE)" && "$(BIN)/python" -m scripts.diagram
	@cd "$(HERE)" && "$(BIN)/python" -m scripts.site

bench: ## The benchmarks, each against its peer or limit in the same run (ARGS="log_in_times")
	@$(SET_UP) bench
	@cd "$(HERE)" && "$(BIN)/python" -m benchmarks $(ARGS)

bench-relevance: ## How well the search finds what is meant, beside tantivy and SQLite FTS5
	@$(SET_UP) bench
	@cd "$(HERE)" && "$(BIN)/python" -m benchmarks relevance

format: ## Format the code and mend what the linter can
	@$(SET_UP) dev
	@cd "$(HERE)" && "$(BIN)/ruff" check --fix --quiet . ; "$(BIN)/ruff" format .

migration: ## Write a migration with what the models have and the migrations lack (M="what it does")
	@$(SET_UP) dev
	@cd "$(HERE)" && "$(BIN)/python" scripts/new_migration.py "$(M)"

schema: ## Write docs/api/v1.json, unless that breaks clients unsaid, and docs/schema.md
	@$(SET_UP) dev
	@cd "$(HERE)" && "$(BIN)/python" -m scripts.check_api --write
	@cd "$(HERE)" && "$(BIN)/python" -m scripts.diagram --write

docs: ## The documentation as a site, into site/ (ARGS=FOLDER)
	@$(SET_UP) dev
	@cd "$(HERE)" && "$(BIN)/python" -m scripts.site "$(or $(ARGS),site)"

lock: ## Lock the dependencies of pyproject.toml anew (ARGS=--upgrade for newer ones)
	@$(SET_UP) up
	@exec "$(HERE)/scripts/lock" $(ARGS)

image: ## The container image, with docker, podman or buildah (TAG=, BASE=, BUILDER=)
	@exec "$(HERE)/scripts/build-image" $(ARGS)

clean: ## Remove caches and builds; .venv and every board's data stay
	@cd "$(HERE)" && rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage* dist
	@find "$(HERE)/src" "$(HERE)/tests" -name __pycache__ -prune -exec rm -rf {} +

help: ## This list
	@sed -n 's/^\([a-z-]*\): ## \(.*\)/\1\t\2/p' "$(HERE)/Makefile" | expand -t 18
