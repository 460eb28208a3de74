# Needs Debian 12 (or alike) with Python 3.11 and make; everything else is installed into .venv.
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS = never
# Some machines forbid it; every command would then compile all of its libraries anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo install test fuzz lint types bench screenshots clean

install: .venv/.installed

.venv/.installed: pyproject.toml uv.lock hatch_build.py tools/bootstrap.py $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null) $(shell find src/lucheng -name '*.po')
	$(PYTHON) tools/bootstrap.py .venv
	.venv/bin/uv sync --frozen --inexact --reinstall-package lucheng
	touch $@

demo: install
	.venv/bin/lucheng demo

lint: install
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy

test: install lint
	.venv/bin/pytest -n 3 --dist loadfile

# Looks for inputs that break something: SECONDS for each parser, EXAMPLES for each operation of the API.
SECONDS ?= 300
EXAMPLES ?= 500
fuzz: install
	.venv/bin/python -m tests.fuzz --seconds $(SECONDS)
	LUCHENG_FUZZ_EXAMPLES=$(EXAMPLES) .venv/bin/pytest tests/channels/api/test_fuzz.py

bench: install
	.venv/bin/python -m bench

screenshots: install
	.venv/bin/python -m tools.screenshots

clean:
	rm -rf .venv frontend/node_modules src/lucheng/static/dist
