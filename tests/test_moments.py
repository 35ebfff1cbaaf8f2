"""Hard moments: what makes painted film tear, pump, boil or ghost, a made film each.

*Ours* is the film as the pipeline paints it, *each* the same film painted frame by frame by the
same painter (``--keys 1``). Freezes, animation on twos, stills, black and fades one way are in
``test_stylize``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest

from films import Picture, flash, letterbox, make_film, scaled, still, texture
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Washes
from pipeline.fill.gate import FLOOR
from pipeline.judge.detail import detail
from pipeline.judge.evaluate import evaluate
from pipeline.judge.light import jitter, jitter_limit, lightness
from pipeline.judge.tables import Row, read_rows
from pipeline.judge.temporal import counted, warping_error
from pipeline.media.color import Plane, Planes, resolved, to_rgb
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.recipe import Recipe

SIZE = (128, 80)
WHIP = range(10, 15)
TEXT = (slice(20, 60), slice(24, 104))


@dataclass(frozen=True, slots=True)
class Moment:
    """A made film and both paintings of it."""

    source: Film
    ours: Film
    each: Film
    rows: Sequence[Row]

    @property
    def lumas(self) -> Iterator[tuple[Plane, Plane, Plane]]:
        """Luma of film, ours and each, frame by frame."""
        for three in zip(*(planes(f) for f in (self.source, self.ours, self.each)), strict=True):
            yield (three[0].luma, three[1].luma, three[2].luma)


def planes(film: Film) -> list[Planes]:
    return [frame.planes for frame in frames(film, 0, film.frames)]


@pytest.fixture(scope="module")
def moment(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Moment]:
    """Paints a film both ways, once."""
    folder = tmp_path_factory.mktemp("moments")

    @cache
    def made(maker: Callable[[], Iterable[Picture]]) -> Moment:
        name = maker.__name__
        source = make_film(folder / f"{name}.mkv", maker(), codec="ffv1")
        films, rows = [], []
        for keys in ("auto", 1):
            recipe = Recipe.model_validate({"style": "made", "codec": "ffv1", "keys": keys})
            job = Job(source, folder / f"{name}.{keys}.mkv", recipe)
            stylize(job, progress=Silent(), hire=Washes)
            films.append(read_film(job.target))
            rows.append(read_rows([job.table]))
        assert all(row.key for row in rows[1])
        return Moment(read_film(source), films[0], films[1], rows[0])

    return made


def errors(lumas: Sequence[Plane]) -> list[float]:
    """M1 of each frame against the next one where nothing moves, [0, 1]^2."""
    there = np.zeros((*lumas[0].shape, 2), np.float32)
    judged = counted(there, there)
    found = [warping_error(a, b, there=there, judged=judged).error for a, b in pairwise(lumas)]
    return [error for error in found if error is not None]


def apart(one: Plane, other: Plane) -> float:
    """Mean difference in codes."""
    return float(cv2.absdiff(one, other).mean())


# -- dissolves, fades, flashes ---------------------------------------------------------------------


def dissolve() -> Iterator[Picture]:
    """One moving texture turns into another over twelve frames."""
    before, after = texture(28, SIZE, (1.5, 0.5), seed=1), texture(28, SIZE, (-1, 0.25), seed=2)
    for t, (one, other) in enumerate(zip(before, after, strict=True)):
        share = float(np.clip((t - 8) / 12, 0, 1))
        yield np.rint((1 - share) * one + share * other).astype(np.uint8)


def fading(lit: int) -> Iterator[Picture]:
    """To black, three frames of it, and back; so many frames of full light at both ends."""
    down = np.linspace(1, 0, 10).tolist()
    gains = [*[1.0] * (lit - 1), *down, 0.0, *down[::-1], *[1.0] * (lit - 1)]
    return scaled(texture(len(gains), SIZE, (0.5, 0.25)), gains)


def fade_in_a_long_shot() -> Iterator[Picture]:
    return fading(14)


def fade_in_a_short_shot() -> Iterator[Picture]:
    return fading(5)


def flashed() -> Iterator[Picture]:
    return flash(24, SIZE, (1, 0.5), at=11)


def held_dissolve() -> Iterator[Picture]:
    """One still turns into another over sixteen frames."""
    one, other = (still(SIZE, seed=seed).astype(float) for seed in (1, 2))
    for t in range(28):
        share = float(np.clip((t - 6) / 16, 0, 1))
        yield np.rint((1 - share) * one + share * other).astype(np.uint8)


def to_white() -> Iterator[Picture]:
    """A moving texture goes to white over ten frames, and stays."""
    for t, picture in enumerate(texture(26, SIZE, (1, 0.5), seed=4)):
        share = float(np.clip((t - 8) / 10, 0, 1))
        yield np.rint((1 - share) * picture + share * 250).astype(np.uint8)


@pytest.mark.parametrize("maker", [dissolve, held_dissolve])
def test_a_dissolve_does_not_tear(
    moment: Callable[..., Moment], maker: Callable[[], Iterator[Picture]]
) -> None:
    made = moment(maker)
    ours, each = (evaluate(made.source, film) for film in (made.ours, made.each))
    pairs = [
        (one, other.error)
        for one, other in zip(ours.scores, each.scores, strict=True)
        if one.error is not None and other.error is not None
    ]
    assert len(pairs) == len(made.rows) - 1
    for one, other in pairs:
        assert (one.error or 0) <= 1.1 * other + (one.floor or 0), f"frame {one.frame}"
    most = max(one.error or 0 for one, _ in pairs)
    assert most <= 1.1 * max(error for _, error in pairs)


def test_a_dissolve_of_stills_goes_on_evenly(moment: Callable[..., Moment]) -> None:
    lumas = [three[1] for three in moment(held_dissolve).lumas]
    changes = [apart(a, b) for a, b in pairwise(lumas)]
    assert max(changes[:5] + changes[23:]) == 0
    assert max(changes[7:21]) < 2 * min(changes[7:21])


def test_a_fade_to_white_is_no_worse_than_painted_frame_by_frame(
    moment: Callable[..., Moment],
) -> None:
    made = moment(to_white)
    ours, each = (
        [one.error or 0 for one in evaluate(made.source, film).scores]
        for film in (made.ours, made.each)
    )
    assert max(ours) <= max(each)
    assert np.mean(ours) <= np.mean(each)


def test_a_dissolve_takes_some_keys_and_no_more(moment: Callable[..., Moment]) -> None:
    for maker in (dissolve, held_dissolve, to_white):
        assert sum(row.key for row in moment(maker).rows) <= 8


def light_of(film: Film) -> tuple[float, float]:
    """Jitter and contrast, in L*."""
    tags = resolved(film.color, film.height)
    shown = (np.rint(255 * to_rgb(p, tags)).astype(np.uint8) for p in planes(film))
    light = [lightness(picture) for picture in shown]
    levels = np.array([field.mean() for field in light], np.float64)
    return jitter(levels), float(np.mean([field.std() for field in light]))


@pytest.mark.parametrize("maker", [fade_in_a_long_shot, fade_in_a_short_shot])
def test_a_fade_to_black_and_back_does_not_pump(
    moment: Callable[..., Moment], maker: Callable[[], Iterator[Picture]]
) -> None:
    made = moment(maker)
    (source, source_contrast), (ours, contrast) = map(light_of, (made.source, made.ours))
    assert ours <= jitter_limit(source, contrast=contrast, source_contrast=source_contrast)
    dark = [ours for theirs, ours, _ in made.lumas if theirs.max() <= 16]
    assert len(dark) >= 3
    assert max(int(luma.max()) for luma in dark) <= 18


def test_a_flash_is_as_bright_as_painted_and_leaves_its_neighbours_alone(
    moment: Callable[..., Moment],
) -> None:
    made = moment(flashed)
    levels = np.array([(ours.mean(), each.mean()) for _, ours, each in made.lumas])
    lit = levels[11] - levels[9]
    assert lit[0] == pytest.approx(lit[1], rel=0.1)
    assert np.abs(levels[:, 0] - levels[:, 1]).max() < 2
    off = [apart(ours, each) for _, ours, each in made.lumas]
    assert max(off[10], off[12]) < 1.5 * float(np.median(off)) + 1


# -- grain, motion blur ----------------------------------------------------------------------------


def grainy() -> Iterator[Picture]:
    """A still seen through grain that is new in each frame."""
    random = np.random.default_rng(3)
    for _ in range(20):
        yield np.clip(still(SIZE) + random.normal(0, 6, (80, 128, 1)), 0, 255).astype(np.uint8)


def blurred() -> Iterator[Picture]:
    """A pan that speeds up to 12 px a frame, with a shutter that is open all the time."""
    for t in range(20):
        places = [0.3 * (t + k / 6) ** 2 for k in range(6)]
        views = [still(SIZE, offset=(x, 0), seed=5).astype(float) for x in places]
        yield np.rint(np.mean(views, axis=0)).astype(np.uint8)


def test_grain_on_a_still_boils_no_more_than_painted_frame_by_frame(
    moment: Callable[..., Moment],
) -> None:
    lumas = list(moment(grainy).lumas)
    ours, each = (errors([three[i] for three in lumas]) for i in (1, 2))
    assert np.mean(ours) < 0.7 * np.mean(each)
    assert max(ours) <= 1.1 * max(each)


def test_a_blurred_pan_stays_as_blurred_as_its_film(moment: Callable[..., Moment]) -> None:
    for t, (_, ours, each) in enumerate(moment(blurred).lumas):
        inner = (slice(8, -8), slice(16, -16))
        share = detail(np.ascontiguousarray(ours[inner])) / detail(
            np.ascontiguousarray(each[inner])
        )
        assert 0.75 < share < 1.35, f"frame {t}"


# -- bars, credits, static shots -------------------------------------------------------------------


def barred_fade() -> Iterator[Picture]:
    """A picture between bars that fades out and in again."""
    gains = [1] * 4 + np.linspace(1, 0, 9).tolist() + np.linspace(0, 1, 9).tolist() + [1] * 4
    return scaled(letterbox(26, SIZE, (1, 0.5), bar=12), gains)


def credits_over() -> Iterator[Picture]:
    """White lines that scroll up by two pixels a frame over a still."""
    ground = (0.6 * still(SIZE, seed=7)).astype(np.uint8)
    roll = np.zeros((400, 80, 3), np.uint8)
    for i, line in enumerate(("MADE BY", "A FRIEND", "PAINTED", "BY A NET", "THE END") * 4):
        where = (4, 16 + 20 * i)
        cv2.putText(roll, line, where, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255,) * 3, 1, cv2.LINE_AA)
    for t in range(26):
        picture = ground.copy()
        picture[:, 24:104] = np.maximum(picture[:, 24:104], roll[2 * t : 2 * t + 80])
        yield picture


def clock() -> Iterator[Picture]:
    """A still in whose corner a small square goes to and fro."""
    for t in range(26):
        picture = still(SIZE, seed=8)
        at = 4 + 2 * (t % 8)
        picture[4:12, at : at + 8] = 230
        yield picture


def test_bars_stay_the_films_own_through_a_fade(moment: Callable[..., Moment]) -> None:
    made = moment(barred_fade)
    for theirs, ours in zip(planes(made.source), planes(made.ours), strict=True):
        for edge, half in ((slice(0, 12), slice(0, 6)), (slice(-12, None), slice(-6, None))):
            assert np.array_equal(ours.luma[edge], theirs.luma[edge])
            assert np.array_equal(ours.blue[half], theirs.blue[half])


def test_credits_move_with_the_film_and_stay_as_bright_as_painted(
    moment: Callable[..., Moment],
) -> None:
    lumas = list(moment(credits_over).lumas)
    contrasts = []
    for t, three in enumerate(lumas[:-1]):
        text = np.zeros(three[0].shape, bool)
        text[TEXT] = three[0][TEXT] > 200
        ground = ~(cv2.dilate(text.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)
        ours, each = (
            float(luma[text].mean() - luma[TEXT][ground[TEXT]].mean()) for luma in three[1:]
        )
        contrasts.append(ours / each)
        moved = np.roll(text, -2, axis=0)
        change, painted = (
            float(np.square((lumas[t + 1][i][moved].astype(float) - three[i][text]) / 255).mean())
            for i in (1, 2)
        )
        assert change <= 1.1 * painted + 10 * FLOOR, f"frame {t}"
    assert min(contrasts) > 0.85


def test_the_ground_behind_credits_stands(moment: Callable[..., Moment]) -> None:
    lumas = [three[1] for three in moment(credits_over).lumas]
    beside = [luma[:, :16] for luma in lumas]
    assert max(errors(beside)) <= FLOOR


def test_a_static_shot_stands_but_for_what_moves(moment: Callable[..., Moment]) -> None:
    lumas = [three[1] for three in moment(clock).lumas]
    changes = [cv2.absdiff(a, b)[40:] for a, b in pairwise(lumas)]
    assert max(int(change.max()) for change in changes) == 0


# -- whip pans -------------------------------------------------------------------------------------


def whip() -> Iterator[Picture]:
    """A slow pan, five frames of a whip, and a slow pan again."""
    at = 0.0
    for t in range(26):
        yield still(SIZE, offset=(at, 0), seed=6)
        at -= 47 if t + 1 in WHIP else 0.5


def test_a_whip_pan_ends_in_keys_and_not_in_ghosts(moment: Callable[..., Moment]) -> None:
    made = moment(whip)
    off = [apart(ours, each) for _, ours, each in made.lumas]
    assert all(made.rows[t].key for t in WHIP[:-1])
    assert max(off[t] for t in WHIP) < 3
