"""The house: imports point one way, torch comes late, and the code that runs is this one."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import actors
import jobs
import pipeline

ROOT = Path(__file__).parent.parent
LAYERS = ("jobs", "actors", "pipeline")
SOURCES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The first names of all that a file imports, at any depth of indentation."""
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add((node.module or "").split(".")[0])
    return found


def test_the_code_that_runs_is_the_code_that_lies_here() -> None:
    for module in (actors, jobs, pipeline):
        assert Path(str(module.__file__)).resolve().is_relative_to(ROOT.resolve())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    above = set(LAYERS[: LAYERS.index(layer)])
    assert not imported(path) & above


def test_the_steps_know_neither_ray_nor_the_terminal() -> None:
    for path in (ROOT / "pipeline").rglob("*.py"):
        assert not imported(path) & {"ray", "rich", "typer"}, path


def test_nothing_silences_or_opens_the_decoders_log() -> None:
    for path in SOURCES:
        assert "av.logging" not in path.read_text("utf-8"), path


LATE = """
import sys
import jobs.cli, pipeline.plan, pipeline.needs
import pipeline.media.assemble, pipeline.media.encode, pipeline.media.verify
import pipeline.motion.analysis, pipeline.motion.bridge
import pipeline.fill.render, pipeline.fill.chain
import actors.assembler, actors.decoder, actors.inbetweener, actors.stylizer
import jobs.inline, jobs.stylize
sys.exit("torch" in sys.modules)
"""


def test_who_does_not_paint_does_not_wait_for_torch() -> None:
    ran = subprocess.run([sys.executable, "-c", LATE], cwd=ROOT, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
