"""High dynamic range: a view for an ordinary screen, and the film again where nobody painted."""

import numpy as np
import pytest

from pipeline.media.color import ColorTags, Plane, Planes, to_planes, to_rgb
from pipeline.media.hdr import HLG, PQ, headroom, restored, view

WHITE = {PQ: 0.5807, HLG: 0.75}
"""The signal of graphics white, 203 cd/m2 (ITU-R BT.2408, table 1)."""


def grey(*levels: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Signals of no colour, [1, n, 3]."""
    return np.repeat(np.asarray(levels, np.float32)[None, :, None], 3, axis=2)


def film(depth: int, down: tuple[int, int] = (1, 1), *, full_range: bool = False) -> Planes:
    """Every luma there is, with colours that all lie within RGB."""
    top = 1 << depth
    luma = np.arange(64, 940, dtype=np.float64).reshape(12, 73) * top / 1024
    shape = (-(-12 // down[1]), -(-73 // down[0]))
    random = np.random.default_rng(0)
    blue, red = (random.uniform(-0.02, 0.02, shape) * top + top / 2 for _ in range(2))
    if full_range:
        luma = luma - luma.min()
    kind = np.uint8 if depth == 8 else np.uint16
    planes: list[Plane] = [np.rint(part).astype(kind) for part in (luma, blue, red)]
    return Planes(*planes, depth=depth)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_the_view_rises_with_the_light_and_ends_at_white(transfer: int) -> None:
    signal = grey(*np.linspace(0, 1, 1024))
    shown = view(signal, transfer)[0, :, 0]
    assert shown[0] == 0
    assert (np.diff(shown[:600]) > 0).all()
    assert (np.diff(shown) >= 0).all()
    assert shown[-1] <= 1


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_graphics_white_is_nearly_white_on_an_ordinary_screen(transfer: int) -> None:
    shown = float(view(grey(WHITE[transfer]), transfer)[0, 0, 0])
    assert 0.94 < shown < 0.97


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_what_is_no_brighter_than_paper_has_no_headroom(transfer: int) -> None:
    room = headroom(grey(0.0, 0.5 * WHITE[transfer], 0.9 * WHITE[transfer], 1.0), transfer)
    assert (room[0, :3] == 1).all()
    assert room[0, 3] > 3


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_white_paint_shines_as_graphics_white_and_on_the_sun_as_the_sun(transfer: int) -> None:
    dark, sun = grey(0.2), grey(1.0)
    white = grey(1.0)
    on_dark = restored(white, headroom(dark, transfer), transfer)
    on_sun = restored(white, headroom(sun, transfer), transfer)
    np.testing.assert_allclose(on_dark, WHITE[transfer], atol=2e-4)
    np.testing.assert_allclose(on_sun, 1, atol=2e-3)


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("down", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("depth", [10, 12])
@pytest.mark.parametrize("full_range", [False, True])
def test_a_view_that_nobody_paints_is_the_film_again(
    transfer: int, down: tuple[int, int], depth: int, full_range: bool
) -> None:
    tags = ColorTags(9, transfer, 9, full_range=full_range)
    planes = film(depth, down, full_range=full_range)
    again = to_planes(to_rgb(planes, tags), like=planes, tags=tags)
    most = 1 if depth == 12 else 0
    for one, other in zip(
        (planes.luma, planes.blue, planes.red), (again.luma, again.blue, again.red), strict=True
    ):
        lit = slice(1, -1)  # the darkest and the lightest colours lie outside of RGB
        difference = np.abs(one.astype(int) - other.astype(int))[lit]
        assert difference.max() <= most
