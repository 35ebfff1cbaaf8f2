"""Set-ups: what a film comes back to has the statistics that it had, and nothing else has."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from films import Picture, Size, black, make_film, planes_of, scaled, still
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Washes
from pipeline.media.color import Planes, Rect
from pipeline.media.container import read_film
from pipeline.motion.analysis import analyse, tones
from pipeline.plan import Plan, plan
from pipeline.recipe import Recipe
from pipeline.setups import ALIKE, Look, distances, look, setups

SIZE: Size = (160, 96)
WHOLE = Rect(0, 0, 96, 160)
RECIPE = Recipe(style="made", codec="ffv1")
ONE, OTHER = 1, 2


def shown(seed: int, *, first: int = 0, frames: int = 12) -> Iterator[Picture]:
    """A set-up through which something moves, from the ``first`` frame of it on."""
    scene, passer = still(SIZE, seed=seed), still((24, 24), seed=seed + 100)
    for t in range(first, first + frames):
        picture, left = scene.copy(), 2 * t % (SIZE[0] - 24)
        picture[36:60, left : left + 24] = passer
        yield picture


def dialogue(folder: Path, *shots: Iterable[Picture]) -> Path:
    """A film of shots."""
    return make_film(folder / "film.mkv", chain(*shots), codec="ffv1", keyint=1000)


def planned(path: Path) -> Plan:
    film = read_film(path)
    return plan(analyse(film, 0, film.frames), RECIPE, size=film.size)


def seen(whole: Plan) -> list[int]:
    """The set-up of each shot."""
    found = {part.shot: part.setup for chunk in whole.chunks for part in chunk.parts}
    return [found[shot] for shot in range(len(whole.shots))]


def flat(luma: float, *, contrast: float = 30, detail: float = 1e-3, chroma: float = 128) -> Look:
    """A look whose distances are easy to tell."""
    spread = luma + contrast * np.linspace(-1, 1, 16)
    return Look(np.concatenate([spread, np.full(16, chroma)]), detail, WHOLE)


def test_cutting_back_and_forth_comes_back_to_the_set_up_of_the_first_two_shots(
    tmp_path: Path,
) -> None:
    shots = shown(ONE), shown(OTHER), shown(ONE, first=30), shown(OTHER, first=25), shown(3)
    assert seen(planned(dialogue(tmp_path, *shots))) == [0, 1, 0, 1, 4]


def test_another_set_up_of_the_same_brightness_is_another(tmp_path: Path) -> None:
    means = [planes_of(still(SIZE, seed=seed)).luma.mean() - 16.0 for seed in (ONE, OTHER)]
    alike = scaled(shown(OTHER), [means[0] / means[1]] * 12)
    assert seen(planned(dialogue(tmp_path, shown(ONE), alike))) == [0, 1]


def test_a_set_up_that_fades_is_known_by_its_light_before(tmp_path: Path) -> None:
    gains = [*[1.0] * 12, *np.linspace(1, 0, 10)]
    fading = scaled(shown(ONE, first=20, frames=22), gains)
    found = planned(dialogue(tmp_path, shown(ONE), shown(OTHER), fading))
    assert min(found.shots[2].gains) < 0.1
    assert seen(found) == [0, 1, 0]


def test_another_light_is_another_set_up(tmp_path: Path) -> None:
    dim = scaled(shown(ONE, first=20), [0.6] * 12)
    assert seen(planned(dialogue(tmp_path, shown(ONE), shown(OTHER), dim))) == [0, 1, 2]


def test_what_is_dark_throughout_is_like_nothing(tmp_path: Path) -> None:
    shots = black(8, SIZE), shown(ONE), black(8, SIZE), shown(ONE, first=20)
    assert seen(planned(dialogue(tmp_path, *shots))) == [0, 1, 2, 1]


def test_a_set_up_is_measured_once_and_painted_alike(tmp_path: Path) -> None:
    film = dialogue(tmp_path, shown(ONE), shown(OTHER), shown(ONE, first=30), shown(OTHER))
    painter, target = Washes(), tmp_path / "painted.mkv"
    work = tmp_path / "work"
    job = Job(film, target, RECIPE, work=work, keep_work=True)
    stylize(job, progress=Silent(), hire=lambda: painter)
    assert painter.shots == 2
    assert len(list(work.glob("moments/*.npy"))) == 2


def test_quantiles_say_how_tones_are_spread() -> None:
    luma = np.tile(np.arange(16, 144, dtype=np.uint8), (4, 1))
    grey = np.full((2, 64), 128, np.uint8)
    found = tones(Planes(luma, grey, grey + 7), luma, black=16)
    assert found[:16].tolist() == list(range(3, 128, 8))
    assert found[16:].tolist() == [128] * 8 + [135] * 8


def test_tones_are_compared_at_unit_gain_relative_to_their_contrast() -> None:
    bright = np.concatenate([np.linspace(40, 120, 16), np.full(16, 148)]).astype(np.uint8)
    dimmed = np.concatenate([np.linspace(20, 60, 16), np.full(16, 138)]).astype(np.uint8)
    rows, ones = np.stack([bright, dimmed]), np.array([4.0, 1.0], np.float32)
    whole = look(rows, ones, (1.0, 0.5), picture=WHOLE)
    assert whole.detail == 4
    assert np.allclose(whole.tones, bright, atol=1)
    contrast = np.linspace(-30, 30, 16).std()
    assert distances(flat(100), [flat(103)]) == pytest.approx(3 / contrast)
    assert distances(flat(100), [flat(100, chroma=131)]) == pytest.approx(12 / contrast)
    assert distances(flat(100), [flat(100, detail=2e-3)]) == pytest.approx(0.138, abs=1e-3)


def test_another_picture_is_another_set_up() -> None:
    barred = Look(flat(100).tones, 1e-3, Rect(8, 0, 80, 160))
    assert setups([flat(100), barred, flat(100), barred]) == (0, 1, 0, 1)


def test_a_set_up_does_not_drift_away_from_its_first_shot() -> None:
    step = 0.6 * ALIKE * np.linspace(-30, 30, 16).std()
    assert setups([flat(100 + i * step) for i in range(4)]) == (0, 0, 2, 2)


def test_the_nearest_of_two_that_would_do_is_chosen() -> None:
    step = 0.6 * ALIKE * np.linspace(-30, 30, 16).std()
    assert setups([flat(100), flat(100 + 2 * step), flat(100 + 1.4 * step)]) == (0, 1, 1)


def test_what_was_longest_away_is_forgotten() -> None:
    others = [flat(100, chroma=2 * i) for i in range(64)]
    assert setups([flat(50), *others[:-1], flat(50)])[-1] == 0
    assert setups([flat(50), *others, flat(50)])[-1] == 65
    assert setups([flat(50), *others[:-1], flat(50), others[-1], flat(50)])[-1] == 0


@settings(deadline=None)
@given(st.lists(st.none() | st.sampled_from([10.0, 60.0, 64.0, 68.0, 200.0]), max_size=40))
def test_a_set_up_is_its_own_first_and_nobody_waits_for_the_future(
    lumas: list[float | None],
) -> None:
    looks = [None if luma is None else flat(luma) for luma in lumas]
    found = setups(looks)
    assert all(found[first] == first <= i for i, first in enumerate(found))
    for known in range(len(looks)):
        assert setups(looks[:known]) == found[:known]
