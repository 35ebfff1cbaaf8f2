"""Batches: whatever their number, every key and every window is painted once and comes back."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from actors.batches import Batch, Lot, Painted, PaintedLot, batches_of, deal, gather, paint
from actors.stylizer import Moments
from painters import Identity
from pipeline.fill.tiles import Tile
from pipeline.media.color import ColorTags, Planes, Rect
from pipeline.needs import PartKeys, Window
from pipeline.paint.working import View

SIDES = st.integers(1, 9)


def grey(height: int, width: int) -> Planes:
    """A picture that is told from others by being another object."""
    luma = np.zeros((height, width), np.uint8)
    return Planes(luma, luma[::2, ::2], luma[::2, ::2])


def window(height: int, width: int) -> Window:
    rect = Rect(0, 0, height, width)
    return Window(View((height, width), rect, rect), grey(height, width))


@st.composite
def chunks(draw: st.DrawFn) -> list[PartKeys]:
    """What is decoded of a chunk: any parts with any keys and windows, frames going on."""
    parts, stop = [], 0
    for length in draw(st.lists(st.integers(1, 8), min_size=1, max_size=4)):
        keys: dict[int, Planes] = {}
        windows: dict[int, tuple[Window, ...]] = {}
        start, stop = stop, stop + length
        for frame in range(start, stop):
            if frame == 0 or draw(st.booleans()):
                keys[frame] = grey(draw(SIDES), draw(SIDES))
            elif draw(st.booleans()):
                sizes = draw(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=3))
                windows[frame] = tuple(window(*size) for size in sizes)
        parts.append(PartKeys(keys, {}, windows))
    return parts


def area(batch: Batch) -> int:
    """Samples of luma in a batch."""
    keys = [planes for lot in batch for planes in lot.keys.values()]
    holes = [w.planes for lot in batch for windows in lot.windows.values() for w in windows]
    return sum(planes.luma.size for planes in (*keys, *holes))


def painted(batch: Batch) -> tuple[PaintedLot, ...]:
    """A batch, painted by who changes nothing."""
    return tuple(
        PaintedLot(lot.part, Painted(lot.keys, {f: tiles(w) for f, w in lot.windows.items()}))
        for lot in batch
    )


def tiles(windows: tuple[Window, ...]) -> tuple[Tile, ...]:
    return tuple(Tile(w.rect, w.planes) for w in windows)


@given(chunks(), st.integers(1, 7))
def test_every_key_and_window_comes_back_once_and_in_order(
    decoded: list[PartKeys], count: int
) -> None:
    batches = deal(decoded, without=None, count=count)
    assert len(batches) == count
    found = gather(map(painted, batches), parts=len(decoded))
    for part, back in zip(decoded, found, strict=True):
        assert list(back.keys) == sorted(part.keys)
        assert all(back.keys[frame] is planes for frame, planes in part.keys.items())
        assert list(back.tiles) == sorted(part.windows)
        for frame, windows in part.windows.items():
            pairs = zip(windows, back.tiles[frame], strict=True)
            assert all(tile.planes is w.planes for w, tile in pairs)
    assert sum(map(area, batches)) == area(deal(decoded, without=None, count=1)[0])


@given(chunks(), st.integers(1, 7))
def test_frames_follow_each_other_from_batch_to_batch(decoded: list[PartKeys], count: int) -> None:
    lots = [lot for batch in deal(decoded, without=None, count=count) for lot in batch]
    reach = [(lot.part, sorted(lot.keys.keys() | lot.windows.keys())) for lot in lots]
    assert all(frames for _, frames in reach)
    for (part, frames), (next_part, next_frames) in pairwise(reach):
        assert (part, frames[-1]) <= (next_part, next_frames[0])


@given(chunks(), st.integers(1, 7))
def test_batches_have_about_the_same_area(decoded: list[PartKeys], count: int) -> None:
    batches = deal(decoded, without=None, count=count)
    largest = max(area(batch) for batch in deal(decoded, without=None, count=1000))
    fair = sum(map(area, batches)) / count
    assert all(fair - largest <= area(batch) <= fair + largest for batch in batches)


@given(chunks(), st.integers(1, 7))
def test_the_key_that_the_chunk_before_left_is_not_painted(
    decoded: list[PartKeys], count: int
) -> None:
    first = min(decoded[0].keys)
    found = gather(map(painted, deal(decoded, without=first, count=count)), parts=len(decoded))
    assert found[0].keys.keys() == decoded[0].keys.keys() - {first}
    assert [p.keys.keys() for p in found[1:]] == [p.keys.keys() for p in decoded[1:]]


def test_the_frame_left_out_is_of_the_first_part_alone() -> None:
    decoded = [PartKeys({3: grey(2, 2)}, {}, {}), PartKeys({3: grey(2, 2)}, {}, {})]
    assert [lot.part for lot in deal(decoded, without=3, count=1)[0]] == [1]


def test_a_chunk_of_which_nothing_is_to_be_painted_gives_empty_batches() -> None:
    batches = deal([PartKeys({3: grey(2, 2)}, {}, {})], without=3, count=2)
    assert batches == [(), ()]
    (found,) = gather(map(painted, batches), parts=1)
    assert (found.keys, found.tiles) == ({}, {})


def test_windows_of_one_frame_may_be_painted_apart() -> None:
    windows = tuple(window(4, 4) for _ in range(4))
    batches = deal([PartKeys({}, {}, {5: windows})], without=None, count=2)
    assert batches == [(Lot(0, {}, {5: windows[:2]}),), (Lot(0, {}, {5: windows[2:]}),)]
    (found,) = gather(map(painted, batches), parts=1)
    assert found.tiles[5] == tiles(windows)


def test_a_chunk_is_dealt_by_the_size_that_the_net_works_at() -> None:
    sizes = [(1280, 720), (1920, 1080), (3840, 2160)]
    assert len({batches_of(12, size=size, lines=540) for size in sizes}) == 1
    counts = [batches_of(12, size=size, lines="film") for size in ((96, 64), *sizes)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, 6)
    assert batches_of(24, size=(3840, 2160), lines=540) > batches_of(6, size=(96, 64), lines=540)


class _Notes(Identity):
    """Notes what it was given together."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[list[tuple[list[int], float]]] = []

    def paint_lots(
        self, lots: Sequence[tuple[Mapping[int, Planes], Moments]], tags: ColorTags
    ) -> list[dict[int, Planes]]:
        """Paint, and take a note."""
        self.together.append([(list(keys), float(moments[0])) for keys, moments in lots])
        return super().paint_lots(lots, tags)


def test_the_keys_of_all_shots_in_a_batch_reach_the_painter_together() -> None:
    painter, tags = _Notes(), ColorTags(1, 1, 1, full_range=False)
    frames = {frame: grey(8, 8) for frame in range(5)}
    lots = [({0: frames[0], 1: frames[1]}, 0), ({2: frames[2]}, 3), ({}, 4), ({4: frames[4]}, 7)]
    batch = tuple(Lot(part, keys, {}) for keys, part in lots)
    moments = {part: np.full(1, part / 8, np.float32) for _, part in lots}
    painted = paint(painter, batch, moments, tags)
    assert painter.together == [[([0, 1], 0.0), ([2], 0.375), ([], 0.5), ([4], 0.875)]]
    assert [(lot.part, list(lot.painted.keys)) for lot in painted] == [
        (0, [0, 1]), (3, [2]), (4, []), (7, [4])
    ]  # fmt: skip
    assert all(lot.painted.keys[f] is frames[f] for lot in painted for f in lot.painted.keys)
