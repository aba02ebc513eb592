# Every target creates or refreshes .venv by itself from the hashed lock; nothing but Python 3.11+ is needed.
PYTHON ?= python3
SOURCE ?= demo
ARCHIVE ?=
REPORT ?= all
OUT ?= build/report
BENCH ?= cli ingest live study screen
BIN := .venv/bin
STAMP := .venv/.installed
STORE := build/store-$(SOURCE)
BROWSER = $(shell for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name && break; done)

.PHONY: report test soak e2e notebooks lint format bench lab lock clean

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

report: $(STAMP)
	$(BIN)/aitheme report $(REPORT) --source $(SOURCE) $(if $(ARCHIVE),--archive $(ARCHIVE)) --data $(STORE) --out $(OUT)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 -q -m "not browser"

# Every kill, publication and cell of the fault matrix, against vendors on loopback; some twenty minutes.
soak: $(STAMP)
	$(BIN)/python -m pytest tests/live --soak -n 2 -q

# Real JupyterLab and chart books in a real browser; one process each, as Playwright runs one driver in a process.
e2e: $(STAMP)
	@test -n "$(BROWSER)" || { echo "e2e: no Chromium on this machine; run: apt-get install chromium" >&2; exit 2; }
	$(BIN)/python -m pytest -q -m browser tests/e2e
	$(BIN)/python -m pytest -q -m browser tests/reports

notebooks: $(STAMP)
	$(BIN)/python -m notebooks --source $(if $(ARCHIVE),archive,$(SOURCE)) $(if $(ARCHIVE),--archive $(ARCHIVE)) --out build/notebooks

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(BENCH)

lab: $(STAMP)
	$(BIN)/aitheme lab

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra notebook --extra cjk --extra dev --quiet pyproject.toml --output-file requirements.lock

clean:
	rm -rf build .mypy_cache .ruff_cache .pytest_cache
