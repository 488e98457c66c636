# Two commands, and nothing else to know: make lab, make test.
# Where there is no make (Windows): see README.md, `python -m taskembed_edu lab` and `... test`.

RUN := .venv/bin/python

.PHONY: help lab test check doctor notebooks seeds artefacts leaderboard minutes bench bench-browser format constraints clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target what; do printf '%-20s %s\n' "$$target" "$$what"; done

lab: ## open the course in JupyterLab; ARGS="--no-browser --port 8899" passes options on
	@sh tools/set_up.sh lab
	@$(RUN) -m taskembed_edu lab $(ARGS)

test: ## run everything: style, types, imports, unit tests, lessons, browser tests
	@sh tools/set_up.sh test
	@$(RUN) -m taskembed_edu test $(ARGS)

check: ## while you work: style, types, imports, and the unit tests that your change can reach; ARGS="--base main~3"
	@sh tools/set_up.sh test
	@$(RUN) -m taskembed_edu check $(ARGS)

doctor: ## say what is installed here, what is wrong, and what to do about it
	@sh tools/set_up.sh lab
	@$(RUN) -m taskembed_edu doctor

notebooks: ## write the lessons: sync with their text, execute, clean
	@sh tools/set_up.sh test
	@$(RUN) tools/notebooks.py $(ARGS)

seeds: ## measure the other seeds of the lessons' experiments; ARGS="05" for one lesson
	@sh tools/set_up.sh test
	@$(RUN) tools/seeds.py $(ARGS)

artefacts: ## train what the lessons keep; ARGS="letters" for one of it
	@sh tools/set_up.sh test
	@$(RUN) -m tools.artefacts $(ARGS)

leaderboard: ## judge every embedder on every family, with few and many samples; what is kept stays
	@sh tools/set_up.sh test
	@$(RUN) -m tools.leaderboard $(ARGS)

minutes: ## count the minutes that each lesson takes; ARGS=--write corrects what the lessons declare
	@sh tools/set_up.sh test
	@$(RUN) tools/minutes.py $(ARGS)

bench: ## measure what the project promises to reach; ARGS="losses" for one part
	@sh tools/set_up.sh test
	@$(RUN) -m benchmarks $(ARGS)

bench-browser: ## measure the live lab in a real browser, beside plotly; ARGS="pictures" for one part
	@sh tools/set_up.sh test
	@$(RUN) -m benchmarks.browser $(ARGS)

format: ## put code and lessons into the house style
	@sh tools/set_up.sh test
	@$(RUN) -m ruff check --fix --quiet . || true
	@$(RUN) -m ruff format .

constraints: ## renew constraints.txt from pyproject.toml; ARGS=--upgrade takes the newest of everything
	@sh tools/constraints.sh $(ARGS)

clean: ## remove caches and what was built; .venv and my_lessons stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . \( -path ./.venv -o -path ./my_lessons \) -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -print0 | xargs -0 rm -rf
