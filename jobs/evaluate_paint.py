"""Painters to how still their paint is on clips, and how clean on photographs.

Every frame is painted by itself: nothing is filled, so the net is judged and not what is done about
it afterwards. Ours has the statistics of the shot frozen, measured on 4 of its frames; a photograph
and its coloured variants count as one shot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.entrants import Entrant
from jobs.exhibits import CLEAN, MARGIN, SHIFTS, Clip, Picture
from jobs.origins import digest, file_digest
from jobs.progress import Progressing
from pipeline.judge.clean import chroma, edge_differences, periods, shift_error
from pipeline.judge.detail import lattice
from pipeline.judge.referee import PairMotion, careful_search, motions, raft, referee_size
from pipeline.judge.still import stillness
from pipeline.paint.pictures import read_picture

FILM = "the film itself"
PHOTOS = "the photographs themselves"


@dataclass(frozen=True, slots=True)
class StillRow:
    """One painter, one clip, one painting."""

    painter: str
    clip: str
    painting: str
    boil: float
    flicker: float
    hf: float
    """energy of what is finer than 2 px, as a multiple of the film's"""
    pairs: int
    unjudged: int


@dataclass(frozen=True, slots=True)
class CleanRow:
    """One painter, one painting, over photographs."""

    painter: str
    painting: str
    lattice: float
    """codes RMS"""
    shift: float
    """shift error, mean over 1, 2 and 3 px, codes RMS"""
    periods: dict[str, float]
    """power at 4 and 2 px over that beside it, by columns and rows"""
    edge: float
    """difference in the outer 8 px between a part by itself and within the whole, codes RMS"""
    interior: float
    """the same difference well inside: the part lies 65, 66, 67 px in, so it is the shift error"""
    chroma: float
    """distance from grey of the painted grey photograph over that of the painted photograph"""

    @property
    def edge_ratio(self) -> float:
        """The edge's difference as a multiple of the interior's."""
        return self.edge / self.interior if self.interior else 1.0


def still_rows(
    painters: Sequence[Entrant],
    clips: Mapping[Clip, Sequence[Path]],
    paintings: Sequence[str],
    *,
    raft_weights: Path | None,
    cache: Path,
    progress: Progressing,
) -> list[StillRow]:
    """Judge every painter on every clip, the films themselves first.

    Args:
        painters: to be judged.
        clips: files of each clip's frames.
        paintings: to paint by.
        raft_weights: of the referee; without, DIS medium.
        cache: keeps the motion.
        progress: is told.
    """
    rows = []
    progress.stage("still", len(clips) * len(painters) * len(paintings))
    for clip, files in clips.items():
        motion = _motion(clip, files, raft_weights, cache)
        source = stillness(map(read_picture, files), motion)
        film = (source.boil, source.flicker, 1.0, source.pairs, source.unjudged)
        rows.append(StillRow(FILM, clip.name, "-", *film))
        spread = sorted({round(i * (len(files) - 1) / 3) for i in range(4)})
        for painter in painters:
            for painting in painter.paintings(paintings):
                pictures = painter.painted(files, painting, measured=spread)
                if pictures is not None:
                    found = stillness(pictures, motion)
                    hf = found.energy / max(source.energy, 1e-12)
                    numbers = (found.boil, found.flicker, hf, found.pairs, found.unjudged)
                    rows.append(StillRow(painter.name, clip.name, painting, *numbers))
                progress.advance(1)
    return rows


def clean_rows(
    painters: Sequence[Entrant],
    inputs: Path,
    photos: Sequence[str],
    paintings: Sequence[str],
    *,
    progress: Progressing,
) -> list[CleanRow]:
    """Judge how clean every painter is, the photographs themselves first."""
    groups = [[inputs / "clean" / f"{photo}.{what}.png" for what in CLEAN] for photo in photos]
    wholes = [read_picture(group[0]) for group in groups]
    lumas = [_luma(picture) for picture in wholes]
    own = fmean(lattice(luma) for luma in lumas)
    rows = [CleanRow(PHOTOS, "-", own, 0.0, periods(lumas), 0.0, 0.0, 0.0)]
    progress.stage("clean", len(painters) * len(paintings))
    for painter in painters:
        for painting in painter.paintings(paintings):
            found = []
            for *coloured, grey in groups:
                pictures = painter.painted(coloured, painting, measured=[0])
                faded = painter.painted([grey], painting, measured=[0])
                if pictures is not None and faded is not None:
                    found.append(dict(zip(CLEAN, [*pictures, *faded], strict=True)))
            if found:
                rows.append(_clean(painter.name, painting, found))
            progress.advance(1)
    return rows


def _clean(painter: str, painting: str, found: Sequence[Mapping[str, Picture]]) -> CleanRow:
    """Judge the painted variants of each photograph."""
    shifts, edges, colours = [], [], []
    for one in found:
        whole = _floats(one["whole"])
        for k in SHIFTS:
            shifts.append(shift_error(whole, _floats(one[f"shift{k}"]), by=k))
            edges.append(edge_differences(whole, _floats(one[f"part{k}"]), at=MARGIN + k))
        colours.append(chroma(_floats(one["grey"])) / max(chroma(whole), 1e-6))
    lumas = [_luma(one["whole"]) for one in found]
    return CleanRow(
        painter=painter,
        painting=painting,
        lattice=fmean(lattice(luma) for luma in lumas),
        shift=fmean(shifts),
        periods=periods(lumas),
        edge=fmean(outer for outer, _ in edges),
        interior=fmean(inner for _, inner in edges),
        chroma=fmean(colours),
    )


def _motion(
    clip: Clip, files: Sequence[Path], raft_weights: Path | None, cache: Path
) -> Sequence[PairMotion]:
    """The film's motion, kept by what the frames are and who looked."""
    referee = careful_search if raft_weights is None else raft(raft_weights)
    first = read_picture(files[0])
    size = referee_size(first.shape[1], first.shape[0])
    who = "dis" if raft_weights is None else "raft"
    by = who if raft_weights is None else file_digest(raft_weights)
    seen = digest(by, *(file.read_bytes() for file in files))[:16]
    small = [cv2.resize(read_picture(f), size, interpolation=cv2.INTER_AREA) for f in files]
    pictures = [np.asarray(picture, np.uint8) for picture in small]
    return motions(pictures, referee, cache=cache / "motion" / f"{clip.name}-{who}-{seen}.npz")


def _luma(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _floats(picture: Picture) -> NDArray[np.float32]:
    return np.asarray(picture / 255, np.float32)
