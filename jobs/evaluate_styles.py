"""Photographs, paintings and clips to how well painters paint, ours and others.

*Seen* paintings are those that the painter could learn from, *unseen* those that it never does
(``pipeline/paint/split.py``). Style loss is compared where content loss is equal: ours is blended
with the photograph, and the blend's strength is lowered until its content loss is the rival's.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import torch

from jobs.entrants import RIVAL, Entrant, Folder, Ours, Rival, ask_rival
from jobs.evaluate_paint import CleanRow, StillRow, clean_rows, still_rows
from jobs.exhibits import CLEAN, LINES, SQUARE, Clip, clip_inputs, photo_inputs, pictures_in
from jobs.jury import seat
from jobs.progress import Progressing
from jobs.scoring import Scoring
from jobs.style_codes import encoded, exact_codes, gallery_codes
from pipeline.errors import BadRequest
from pipeline.judge.styles import Measures, at_content, average, ratios
from pipeline.paint.split import is_held_out
from pipeline.paint.styles import StyleCode

PARTS = ("photos", "film", "still", "clean")
SWEEP = (1.0, 0.85, 0.7, 0.55, 0.4, 0.2)
FIVE = (
    "hokusai_great_wave_1831",
    "klimt_adele_bloch_bauer_1907",
    "monet_water_lilies_1919",
    "morris_trellis_design_1862",
    "van_gogh_starry_night_1889",
)
"""What clips and cleanness are judged by."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to judge, by whom, and where results are kept."""

    photos: Path
    paintings: Path
    cache: Path
    vgg: Path | None = None
    lite: Path | None = None
    stlpips: Path | None = None
    raft: Path | None = None
    run: Path | None = None
    """of a training run: exact codes"""
    clips: tuple[Clip, ...] = ()
    frames_of: tuple[Path, ...] = ()
    rival_python: Path | None = None
    parts: tuple[str, ...] = PARTS
    photo_count: int = 3
    painting_count: int | None = None
    film_count: int = 1
    """photographs at film size"""
    clean_count: int = 2
    """photographs for cleanness"""
    frames: int = 24
    size: str = "S"
    device: str = "cpu"
    threads: int = 2

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many photographs each part looks at."""
        return self.photo_count, self.film_count, self.clean_count


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """Mean measures of one painter over photographs x paintings."""

    painter: str
    size: int
    """384 or 540: of the photographs"""
    group: str
    """seen or unseen"""
    codes: str
    """gallery, encoder or exact; a dash for whoever has none"""
    strength: float
    pairs: int
    measures: Measures


@dataclass(frozen=True, slots=True)
class Match:
    """Ours over a rival where their content losses are equal."""

    painter: str
    rival: str
    group: str
    codes: str
    strength: float
    """at which ours has the rival's content loss; 1 if it stays below"""
    content: float
    content_rival: float
    ratios: Measures
    """ours / theirs, by measure; of style: below 1 is better than the rival"""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was measured."""

    photos: tuple[PhotoRow, ...]
    matches: tuple[Match, ...]
    still: tuple[StillRow, ...]
    clean: tuple[CleanRow, ...]


def evaluate_styles(plan: Plan, *, progress: Progressing) -> Report:
    """Judge ours, every folder of painted pictures, and the rival if a Python has it.

    Raises:
        BadRequest: If a folder is not what it should be, or two clips have one name.
        MissingWeights: If VGG16, or a network that was named, is not there.
    """
    if len({clip.name for clip in plan.clips}) < len(plan.clips):
        raise BadRequest("two clips have one name and begin at one frame: rename one")
    cv2.setNumThreads(plan.threads)
    torch.set_num_threads(plan.threads)
    inputs = plan.cache / "inputs"
    paintings = pictures_in(plan.paintings, limit=plan.painting_count)
    photo_inputs(pictures_in(plan.photos, limit=max(plan.counts)), inputs)
    still = "still" in plan.parts
    clips = {c: clip_inputs(c, inputs, count=plan.frames) for c in plan.clips if still}
    rivals = _rivals(plan, paintings, [path for paths in clips.values() for path in paths])
    rows: list[PhotoRow] = []
    matches: list[Match] = []
    if {"photos", "film"} & set(plan.parts):
        rows, matches = _photo_parts(plan, paintings, rivals, progress)
    ours = Ours(gallery_codes(paintings), size=plan.size, device=plan.device)
    painters: list[Entrant] = [ours, *rivals]
    found = still_rows(
        painters, clips, FIVE, raft_weights=plan.raft, cache=plan.cache, progress=progress
    )
    clean: list[CleanRow] = []
    if "clean" in plan.parts:
        few = [p.stem for p in pictures_in(plan.photos, limit=plan.clean_count)]
        clean = clean_rows(painters, inputs, few, FIVE, progress=progress)
    for rival in rivals:
        if isinstance(rival, Rival) and rival.stale:
            progress.note(
                f"{rival.folder}: {len(rival.stale)} pictures are not judged, for they were made "
                "of other inputs or nobody knows of what; --rival-python paints them again"
            )
    return Report(tuple(rows), tuple(matches), tuple(found), tuple(clean))


def _rivals(plan: Plan, paintings: Sequence[Path], frames: Sequence[Path]) -> list[Folder]:
    """Folders of painted pictures: the rival's if it can be asked or was, then all others."""
    inputs = plan.cache / "inputs"
    if plan.rival_python is not None:
        five = [p for p in paintings if p.stem in FIVE]
        wanted = {"photos": (_photo_files(plan, SQUARE), paintings, False)}
        wanted["film"] = (_photo_files(plan, LINES), paintings, False)
        few = pictures_in(plan.photos, limit=plan.clean_count)
        clean = [inputs / "clean" / f"{p.stem}.{what}.png" for p in few for what in CLEAN]
        for part, files in (("still", frames), ("clean", clean)):
            wanted[part] = (list(files), five, False)
            wanted[f"{part}-26"] = (list(files), [], True)
        for part, (files, works, built_in) in wanted.items():
            if part.removesuffix("-26") in plan.parts:
                ask_rival(
                    plan.rival_python,
                    inputs,
                    plan.cache / (RIVAL + ("-26" if built_in else "")),
                    pictures=files,
                    paintings=works,
                    built_in=built_in,
                    threads=plan.threads,
                )
    known = [plan.cache / name for name in (RIVAL, f"{RIVAL}-26")]
    kept = [Rival(folder, inputs, paintings) for folder in known if folder.is_dir()]
    return [*kept, *(Folder(folder, inputs) for folder in plan.frames_of)]


def _photo_files(plan: Plan, size: int) -> list[Path]:
    """Inputs of one size."""
    limit = plan.photo_count if size == SQUARE else plan.film_count
    folder = plan.cache / "inputs" / f"photos-{size}"
    return [folder / f"{p.stem}.png" for p in pictures_in(plan.photos, limit=limit)]


def _photo_parts(
    plan: Plan, paintings: Sequence[Path], rivals: Sequence[Folder], progress: Progressing
) -> tuple[list[PhotoRow], list[Match]]:
    """Measure photographs at both sizes, seen and unseen paintings apart."""
    jury = seat(plan.vgg, plan.lite, plan.stlpips, device=plan.device)
    scoring = Scoring(jury, paintings, cache=plan.cache, progress=progress)
    held = [p for p in paintings if is_held_out(p)]
    shown = gallery_codes([p for p in paintings if not is_held_out(p)])
    targets = plan.cache / "targets"
    exact = exact_codes(held, run=plan.run, jury=jury, kept=targets)
    variants = [("seen", "gallery", shown), ("unseen", "encoder", encoded(held))]
    variants.append(("unseen", "exact", exact))
    rows: list[PhotoRow] = []
    matches: list[Match] = []
    for size, part in ((SQUARE, "photos"), (LINES, "film")):
        if part not in plan.parts:
            continue
        files = _photo_files(plan, size)
        for group, works in (("seen", list(shown)), ("unseen", [p.stem for p in held])):
            progress.stage(f"{group} {size}", len(works) * len(files) * (len(rivals) + 2))
            theirs = _rival_rows(scoring, rivals, works, files, size=size, group=group)
            rows += theirs
            for origin in (v for v in variants if v[0] == group and v[2]):
                ours, sweep = _our_rows(plan, scoring, origin, files, theirs, size=size)
                rows += ours
                if theirs and size == SQUARE:
                    matches.append(matched(ours[0], sweep, theirs[0]))
            scoring.forget()
    return rows, matches


def _rival_rows(
    scoring: Scoring,
    rivals: Sequence[Folder],
    works: Sequence[str],
    files: Sequence[Path],
    *,
    size: int,
    group: str,
) -> list[PhotoRow]:
    """One row each, of those that painted everything."""
    rows = []
    for rival in rivals:
        found = scoring.scored(rival, works, files, 1.0)
        if found and len(found) == len(works) * len(files):
            rows.append(PhotoRow(rival.name, size, group, "-", 1.0, len(found), average(found)))
    return rows


def _our_rows(
    plan: Plan,
    scoring: Scoring,
    origin: tuple[str, str, dict[str, StyleCode]],
    files: Sequence[Path],
    theirs: Sequence[PhotoRow],
    *,
    size: int,
) -> tuple[list[PhotoRow], dict[float, Measures]]:
    """A row for each strength, down to the first that has no more content loss than the rival."""
    group, source, codes = origin
    ours = Ours(codes, size=plan.size, device=plan.device)
    rows, sweep = [], {}
    scoring.forget()
    for strength in SWEEP if size == SQUARE and theirs else SWEEP[:1]:
        found = scoring.scored(ours, list(codes), files, strength)
        sweep[strength] = average(found)
        row = PhotoRow(ours.name, size, group, source, strength, len(found), sweep[strength])
        rows.append(row)
        if theirs and sweep[strength]["content"] <= theirs[0].measures["content"]:
            break
    return rows, sweep


def matched(ours: PhotoRow, sweep: dict[float, Measures], rival: PhotoRow) -> Match:
    """Divide by the rival's measures where our content loss is the rival's."""
    content = rival.measures["content"]
    strength, there = at_content(sweep, content)
    return Match(
        painter=ours.painter,
        rival=rival.painter,
        group=ours.group,
        codes=ours.codes,
        strength=strength,
        content=there["content"],
        content_rival=content,
        ratios=ratios(there, rival.measures),
    )


def as_json(plan: Plan, report: Report) -> dict[str, object]:
    """The report as it is stored."""
    return {
        "inputs": {
            "photos": [p.stem for p in pictures_in(plan.photos, limit=max(plan.counts))],
            "counts": {"384": plan.photo_count, "540": plan.film_count, "clean": plan.clean_count},
            "clips": [clip.name for clip in plan.clips],
            "frames": plan.frames,
            "referee": "dis-medium-360" if plan.raft is None else "raft-small-360",
        },
        **asdict(report),
    }
