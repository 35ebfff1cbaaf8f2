"""A film to its plan, span by span.

A *span* is what one analysis looks at. What is planned from the film's beginning is planned for
good: chunks are *settled* once no frame that is analysed later can change them, and painting may
begin with them. Who analyses, and where, is not known here.
"""

import json
from collections.abc import Container, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np

from actors.files import reading
from jobs.ledger import WorkFolder
from pipeline.media.container import Film
from pipeline.motion import analysis, rows
from pipeline.motion.cuts import CUT
from pipeline.plan import RENDER_VERSION, Chunk, Plan, covering, plan, settled
from pipeline.recipe import Recipe
from pipeline.variants import edges

Span = tuple[int, int]
_NEAR = 3
"""Frames from a cut at which a person may have meant the cut."""
_AGAIN = 1.1
"""Plan anew when so much more of the film is known; each time costs the whole of it."""


class Survey:
    """What is known of a film, and what is planned of it so far."""

    def __init__(self, film: Film, recipe: Recipe, work: WorkFolder) -> None:
        self.film, self.recipe, self.work = film, recipe, work
        self.start, self.stop = recipe.frames or (0, film.frames)
        self.spans = analysis.spans(film)
        self.plan: Plan | None = None
        """Grows; None as long as nothing is settled."""
        self.complete = False
        """Whether every chunk that is wanted has been settled."""
        self._rows = {span: self._read(span) for span in self.spans}
        self._planned = 0
        self._settle()

    @property
    def frames_known(self) -> int:
        """How many frames have been analysed."""
        return sum(b - a for (a, b), found in self._rows.items() if found is not None)

    def missing(self) -> list[Span]:
        """Spans without rows, in order, as long as any is needed."""
        if self.complete:
            return []
        return [span for span, found in self._rows.items() if found is None]

    def accept(self, span: Span, part: Path) -> None:
        """Take a span's rows, a finished attempt, and plan as far as they allow."""
        with reading(part) as path:
            found = rows.read(path)
        self.work.check()
        self.work.commit(part, self._name(span), replace=True)
        self._rows[span] = found
        self._settle()

    def chunks(self) -> tuple[Chunk, ...]:
        """Settled chunks that make any wanted frame."""
        return covering(self.plan, self.start, self.stop) if self.plan else ()

    def changes_inside(self) -> list[str]:
        """Say where the style changes inside a shot, as far as the film is known."""
        return changes_inside(self.recipe, [one for one in self._rows.values() if one is not None])

    def _settle(self) -> None:
        if self.complete:
            return
        known = []
        for span in self.spans:
            found = self._rows[span]
            if found is None:
                break
            known.append(found)
        count = self.spans[len(known) - 1][1] if known else 0
        whole = len(known) == len(self.spans)
        enough = self.stop <= count  # the rest of the film may not be wanted at all
        if not known or not (whole or enough or count >= _AGAIN * self._planned):
            return
        self._planned = count
        size, read = self.film.size, rows.concat(known)
        found_plan = (
            plan(read, self.recipe, size=size) if whole else settled(read, self.recipe, size=size)
        )
        if found_plan is not None:
            self.plan = found_plan
            self.complete = whole or found_plan.chunks[-1].stop >= self.stop
        if self.complete:
            self._keep()

    def _keep(self) -> None:
        """Leave the plan in the work folder under its digest: written once, never changed."""
        if self.plan is not None:
            content = json.dumps(asdict(self.plan)).encode()
            self.work.put(f"plans/{sha256(content).hexdigest()[:16]}.json", content)

    def _read(self, span: Span) -> rows.Analysis | None:
        """A span's rows from the work folder; None if they are not there or not whole."""
        try:
            with reading(self.work.path / self._name(span)) as path:
                return rows.read(path)
        except (OSError, ValueError, TypeError, LookupError, NotImplementedError):
            return None  # Arrow says in many ways that a file is damaged

    def _name(self, span: Span) -> str:
        start, stop = span
        return f"analysis/{self.film.identity[:16]}-v{RENDER_VERSION}-{start}-{stop}.parquet"


def changes_inside(recipe: Recipe, known: Sequence[rows.Analysis]) -> list[str]:
    """Say where a recipe's style changes inside a shot, in the frames that are known."""
    cuts = {one.start + int(at) for one in known for at in np.flatnonzero(one.cut >= CUT)}
    spans = [(one.start, one.start + len(one)) for one in known]
    changes = edges(recipe, max((stop for _, stop in spans), default=0))
    seen = [at for at in changes if any(start <= at < stop for start, stop in spans)]
    return [_inside(at, cuts) for at in seen if at not in cuts]


def _inside(at: int, cuts: Container[int]) -> str:
    ways = sorted(range(-_NEAR, _NEAR + 1), key=abs)
    near = next((f"; a cut is at {at + way}" for way in ways if at + way in cuts), "")
    return f"the style changes at frame {at}, inside a shot{near}"
