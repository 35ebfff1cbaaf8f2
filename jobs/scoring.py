"""Painters, paintings and photographs to measures; what is not ours is measured once and kept."""

from collections.abc import Sequence
from pathlib import Path

from jobs.entrants import Entrant, Folder
from jobs.exhibits import Picture
from jobs.jury import Jury, Kept, Target
from jobs.progress import Progressing
from pipeline.judge.styles import Measures, with_strength
from pipeline.paint.pictures import read_picture


class Scoring:
    """Has a jury measure painted photographs."""

    def __init__(
        self,
        jury: Jury,
        paintings: Sequence[Path],
        *,
        cache: Path,
        progress: Progressing,
    ) -> None:
        self.jury, self.cache, self.progress = jury, cache, progress
        self.paintings = {p.stem: p for p in paintings}
        self.kept = Kept(cache / "measures.json")
        self._targets: dict[str, Target] = {}
        self._pictures: dict[tuple[str, str, str], Picture] = {}

    def target(self, painting: str) -> Target:
        """What the networks see in a painting."""
        if painting not in self._targets:
            folder = self.cache / "targets"
            self._targets[painting] = self.jury.target(self.paintings[painting], folder)
        return self._targets[painting]

    def scored(
        self, painter: Entrant, works: Sequence[str], photos: Sequence[Path], strength: float
    ) -> list[Measures]:
        """Measure a painter over works x photographs at one strength; what it lacks is left out."""
        rows = []
        for photo in photos:
            source, original = read_picture(photo), None
            for work in works:
                key = self._key(painter, photo, work)
                found = self.kept.get(key) if key else None
                if found is None and (picture := self._painted(painter, photo, work)) is not None:
                    original = original or self.jury.original(source)
                    blend = with_strength(source, picture, strength)
                    target, whole = self.target(work), strength == 1.0
                    found = self.jury.measures(blend, original, target, whole=whole)
                    if key:
                        self.kept.put(key, found)
                if found is not None:
                    rows.append(found)
                self.progress.advance(1)
        self.kept.save()
        return rows

    def forget(self) -> None:
        """Let painted pictures go."""
        self._pictures.clear()

    def _painted(self, painter: Entrant, photo: Path, work: str) -> Picture | None:
        place = (painter.name, str(photo), work)
        if place not in self._pictures:
            pictures = painter.painted([photo], work, measured=[0])
            if pictures is None:
                return None
            self._pictures[place] = next(iter(pictures))
        return self._pictures[place]

    def _key(self, painter: Entrant, photo: Path, work: str) -> str:
        """Of a folder's picture; empty where there is none."""
        if not isinstance(painter, Folder):
            return ""
        path = painter.picture(photo, work)
        if path is None:
            return ""
        files = (path, photo, self.paintings[work])
        return Kept.key([*(file.read_bytes() for file in files), self.jury.identity])
