#!/usr/bin/env bash
# Everything that CI runs: format, lint, types, import rules, tests with branch coverage.
# Needs the extra "dev" installed in the Python that is first on PATH.
set -euo pipefail
cd "$(dirname "$0")"

ruff format --check .
ruff check .
mypy
lint-imports
python -m pytest -n auto --cov --cov-report=term "$@"
