"""Painters that a process keeps: one net in memory, whatever styles take turns."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from actors import steps, stylizer
from actors.batches import Batch, Lot, paint, paint_all
from actors.steps import Hired, painter_of
from actors.stylizer import Hire, Painting, Stylizer
from films import planes_of, texture
from painters import Washes
from pipeline.media.color import ColorTags, Plane, Planes
from pipeline.paint.styles import load_code

TAGS = ColorTags(matrix=1, transfer=1, primaries=1, full_range=False)


@pytest.fixture(autouse=True)
def _nobody_is_hired() -> Iterator[None]:
    """As in a process that has just begun."""
    for known in (steps._hired, stylizer._nets):
        known.clear()
    yield
    for known in (steps._hired, stylizer._nets):
        known.clear()


@dataclass(frozen=True)
class Made:
    """Makes a stand-in; ``net`` tells which net it would have."""

    style: int
    net: str = "net"

    def __call__(self) -> Painting:
        """Make it."""
        return Washes(bend=self.style / 100)


def test_styles_that_share_a_net_are_kept_and_not_too_many() -> None:
    made = [painter_of(Hired(Made(style))) for style in range(8)]
    assert [painter_of(Hired(Made(style))) for style in range(8)] == made
    painter_of(Hired(Made(0)))
    painter_of(Hired(Made(8)))
    assert len(steps._hired) == 8
    assert painter_of(Hired(Made(0))) is made[0]
    assert painter_of(Hired(Made(1))) is not made[1], "the one that was used least lately goes"


def test_another_net_takes_the_place_of_all_that_had_the_first() -> None:
    first = painter_of(Hired(Made(0)))
    painter_of(Hired(Made(1)))
    painter_of(Hired(Made(0, net="another")))
    assert len(steps._hired) == 1
    assert painter_of(Hired(Made(0))) is not first


def test_two_styles_have_one_net_and_paint_as_each_would_alone() -> None:
    codes = [load_code(name) for name in ("adele", "great-wave")]
    alone = []
    keys = dict(enumerate(planes_of(picture) for picture in texture(2, (64, 48))))
    for code in codes:
        stylizer._nets.clear()
        alone.append(_painted(Stylizer(code, threads=1), keys))
    steps._hired.clear()
    both = [painter_of(Hired(Hire(code, threads=1))) for code in codes]
    assert len(stylizer._nets) == 1
    for painter, expected in zip(both, alone, strict=True):
        for frame, luma in _painted(painter, keys).items():
            assert np.array_equal(luma, expected[frame])
    assert both[0].weights == both[1].weights
    assert both[0].style != both[1].style


def test_what_is_painted_in_company_is_what_is_painted_alone() -> None:
    keys = dict(enumerate(planes_of(picture) for picture in texture(6, (64, 48))))
    batches: list[Batch] = [
        (Lot(0, {0: keys[0], 1: keys[1]}, {}), Lot(1, {2: keys[2]}, {})),
        (),
        (Lot(0, {3: keys[3], 4: keys[4], 5: keys[5]}, {}),),
    ]
    moments = [{i: np.array([60.0 + 40 * n + i], np.float32) for i in range(2)} for n in range(3)]
    together = paint_all(Washes(), list(zip(batches, moments, strict=True)), TAGS)
    assert [[lot.part for lot in batch] for batch in together] == [[0, 1], [], [0]]
    for batch, own, found in zip(batches, moments, together, strict=True):
        for one, other in zip(paint(Washes(), batch, own, TAGS), found, strict=True):
            assert one.painted.keys.keys() == other.painted.keys.keys()
            for frame, planes in one.painted.keys.items():
                assert np.array_equal(planes.luma, other.painted.keys[frame].luma)


def _painted(painter: Painting, keys: dict[int, Planes]) -> dict[int, Plane]:
    moments = painter.measure(list(keys.values()), TAGS)
    done = painter.paint(keys, moments, TAGS)
    return {frame: planes.luma for frame, planes in done.items()}
