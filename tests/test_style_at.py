"""Ranges of a film in other styles: exact at both ends, and nobody else's business."""

import shlex
import typing
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hands import Hands, billed, studio

from actors.stylizer import Painting
from films import Size, make_film, texture
from jobs.command import command
from jobs.commission import Result
from jobs.job import Job
from jobs.jobfile_read import read_job_file
from jobs.ledger import WorkFolder
from jobs.orders import Ready, ready, style_finder
from jobs.plan import foresee
from jobs.progress import Silent
from jobs.provenance import read_provenance
from jobs.report_facts import settings
from jobs.sidecar import read_sidecar
from jobs.style_at import read_style_at, with_styles
from jobs.stylize import stylize
from painters import Washes
from pipeline.errors import BadRequest, FilmError
from pipeline.forecast import needs, predict_times
from pipeline.judge.tables import Row, read_about, read_rows
from pipeline.media.color import Planes
from pipeline.media.container import read_film
from pipeline.media.decode import frames
from pipeline.motion import analysis, rows
from pipeline.plan import plan, settled
from pipeline.recipe import Part, Passage, Recipe, digest
from pipeline.variants import variant_at, variants

TINY: Size = (96, 64)
SHOT = 12
SHOTS = (1, 2, 1, 3)
"""Of the film, by what they show: the third is the first one's set-up."""
BENDS = {"a": 0.35, "b": 0.9, "c": 0.6}
PLAIN = Recipe(style="a", codec="ffv1")
HEAD = "schema: reelbrush/v1\ndefaults: {codec: ffv1}\n"


@dataclass(frozen=True)
class Painters:
    """Washes that are bent as the style says, and remembered."""

    made: dict[str, Washes] = field(default_factory=dict, hash=False, compare=False)

    def __call__(self) -> Painting:
        """Make that of style a."""
        return self._of("a")

    def of_style(self, style: str) -> Callable[[], Painting]:
        """What makes that of a style."""
        return partial(self._of, style)

    def _of(self, style: str) -> Painting:
        self.made[style] = Washes(bend=BENDS[style])
        return self.made[style]


@dataclass(frozen=True, slots=True)
class Painted:
    """A painted film."""

    job: Job
    result: Result
    painters: dict[str, Washes]
    frames: list[Planes]

    @property
    def rows(self) -> list[Row]:
        """Its table."""
        return read_rows([self.job.table])


def pictures(path: Path) -> list[Planes]:
    """All frames of a film."""
    film = read_film(path)
    return [frame.planes for frame in frames(film, 0, film.frames)]


def same(a: Planes, b: Planes) -> bool:
    """Whether two frames have the same samples."""
    pairs = ((a.luma, b.luma), (a.blue, b.blue), (a.red, b.red))
    return all(np.array_equal(x, y) for x, y in pairs)


def equal(a: list[Planes], b: list[Planes]) -> list[bool]:
    """Which frames have the same samples."""
    return [same(x, y) for x, y in zip(a, b, strict=True)]


def paint(source: Path, name: str, *asked: str, recipe: Recipe = PLAIN) -> Painted:
    """Paint a film with ranges, as the command does; its work folder stays."""
    painters = Painters()
    job = Job(
        source,
        source.with_name(f"{name}.mkv"),
        recipe,
        style_at=read_style_at(asked),
        keep_work=True,
        overwrite=True,
    )
    result = stylize(job, progress=Silent(), hire=painters)
    return Painted(job, result, painters.made, pictures(job.target))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for films that several tests look at."""
    return tmp_path_factory.mktemp("ranges")


@pytest.fixture(scope="module")
def film(shop: Path) -> Path:
    """Four shots of 12 frames."""
    moving = chain.from_iterable(texture(SHOT, TINY, (0.5, 0.25), seed=seed) for seed in SHOTS)
    return make_film(shop / "film.mkv", moving, codec="ffv1")


@pytest.fixture(scope="module")
def whole(film: Path) -> dict[str, Painted]:
    """All of the film, in each of two styles."""
    return {
        style: paint(film, f"all-{style}", recipe=PLAIN.model_copy(update={"style": style}))
        for style in "ab"
    }


# -- what is painted -------------------------------------------------------------------------------


def test_a_range_between_cuts_is_the_other_style_and_the_rest_is_as_without(
    film: Path, whole: dict[str, Painted]
) -> None:
    found = paint(film, "second", "12-23=b")
    inside = [12 <= t < 24 for t in range(48)]
    assert equal(found.frames, whole["b"].frames) == inside
    assert equal(found.frames, whole["a"].frames) == [not one for one in inside]
    assert all(12 <= t < 24 for t in found.painters["b"].painted)
    assert not any(12 <= t < 24 for t in found.painters["a"].painted)


def test_a_shot_in_another_style_is_measured_on_its_set_up(
    film: Path, whole: dict[str, Painted]
) -> None:
    """The third shot shows what the first one does: its tones are those of the first."""
    found = paint(film, "third", "24-35=b")
    inside = [24 <= t < 36 for t in range(48)]
    assert equal(found.frames, whole["b"].frames) == inside
    assert equal(found.frames, whole["a"].frames) == [not one for one in inside]


def test_ends_inside_shots_are_cuts(film: Path, shop: Path) -> None:
    """A range is painted as if its frames were all of the film; nothing goes over its ends."""
    found = paint(film, "inside", "0-7=b", "18-40=c")
    starts = [row.frame for row in found.rows if row.loss is None]
    assert starts == [0, 8, 12, 18, 24, 36, 41]
    part = make_film(shop / "part.mkv", iter(pictures(film)[:8]), codec="ffv1")
    alone = paint(part, "alone", recipe=PLAIN.model_copy(update={"style": "b"}))
    assert all(equal(found.frames[:8], alone.frames))
    said = read_sidecar(found.job.target)
    assert said is not None
    assert said.notes == tuple(
        f"the style changes at frame {frame}, inside a shot" for frame in (8, 18, 41)
    )


def test_an_end_beside_a_cut_is_taken_at_its_word_and_told_of(film: Path) -> None:
    found = paint(film, "beside", "14-23=b")
    said = read_sidecar(found.job.target)
    assert said is not None
    assert said.notes == ("the style changes at frame 14, inside a shot; a cut is at 12",)


def test_another_style_for_a_range_paints_that_range_alone(film: Path) -> None:
    first = paint(film, "again", "12-23=b")
    again = paint(film, "again", "12-23=c")
    assert (first.result.reused, again.result.reused) == (0, again.result.chunks - 1)
    assert not again.painters["a"].painted
    assert {12 <= t < 24 for t in again.painters["c"].painted} == {True}
    assert equal(first.frames, again.frames) == [not 12 <= t < 24 for t in range(48)]


def test_another_strength_for_a_range_lays_that_range_on_alone(film: Path) -> None:
    first = paint(film, "laid", "12-23=b", "36-47=b")
    again = paint(film, "laid", "12-23=b;strength=0", "36-47=b")
    assert again.result.reused == again.result.chunks - 1
    assert all(equal(again.frames[12:24], pictures(film)[12:24]))
    assert equal(first.frames, again.frames) == [not 12 <= t < 24 for t in range(48)]


@pytest.mark.parametrize("gpus", [0, 1])
def test_on_ray_it_is_the_same_film(film: Path, monkeypatch: pytest.MonkeyPatch, gpus: int) -> None:
    ranges = ("12-23=b", "30-35=c;keep-color=1")
    recipe = with_styles(PLAIN, read_style_at(ranges), read_film(film))
    hands = Hands(cores=2, gpus=gpus).patch(monkeypatch)
    (bill,) = [billed(film, hire=Painters(), recipe=recipe, name=f"ray{gpus}")]
    studio([bill], hands).run()
    assert bill.error is None
    expected = paint(film, f"plain{gpus}", *ranges)
    painted = film.with_name(f"ray{gpus}.painted.mkv")
    assert all(equal(pictures(painted), expected.frames))
    assert WorkFolder(painted.with_name(f"{painted.name}.work")).asked().recipe == recipe


# -- what is planned -------------------------------------------------------------------------------


def test_a_film_without_ranges_keeps_its_digests_and_its_plan(film: Path) -> None:
    ranged = PLAIN.model_copy(update={"style_at": (Passage(start=12, stop=24, style="b"),)})
    for part in typing.get_args(Part):
        assert digest(ranged, part) == digest(PLAIN, part)
    assert variants(PLAIN) == (PLAIN,)
    seen = analysis.analyse(read_film(film), 0, 48)
    plain = plan(seen, PLAIN, size=TINY)
    other = plan(seen, ranged, size=TINY)
    assert other.shots == plain.shots
    assert [(c.start, c.stop) for c in plain.chunks] == [(0, 48)]
    assert [(c.start, c.stop) for c in other.chunks] == [(0, 12), (12, 24), (24, 48)]


def test_what_is_settled_begins_the_plan_and_a_cap_is_shared_by_all_styles(film: Path) -> None:
    ranges = tuple(Passage(start=s, stop=e, style="b") for s, e in ((5, 9), (20, 30)))
    recipe = PLAIN.model_copy(update={"style_at": ranges})
    seen = analysis.analyse(read_film(film), 0, 48)
    whole = plan(seen, recipe, size=TINY)
    assert [(c.start, c.stop) for c in whole.chunks] == [
        (0, 5),
        (5, 9),
        (9, 20),
        (20, 30),
        (30, 48),
    ]
    early = [settled(rows.first(seen, count), recipe, size=TINY) for count in (13, 26, 48)]
    found = [one.chunks for one in early if one is not None]
    assert all(chunks == whole.chunks[: len(chunks)] for chunks in found)
    assert [len(chunks) for chunks in found] == [2, 3, 4]
    capped = plan(seen, recipe.model_copy(update={"max_keys": 16}), size=TINY)
    keys = {key for c in capped.chunks for part in c.parts for key in part.keys}
    assert len(keys) <= 16
    assert keys >= {0, 4, 5, 8, 9, 19, 20, 29, 30, 47}


def test_equal_ranges_are_one_variant_and_each_frame_has_one() -> None:
    b, c = ({"style": style, "structure": 0.5} for style in "bc")
    asked = [Passage(start=s, stop=e, **own) for s, e, own in ((2, 4, b), (4, 6, c), (8, 9, b))]  # type: ignore[arg-type]
    recipe = Recipe(style="a", strength=0.25, style_at=tuple(asked))
    assert [one.style for one in variants(recipe)] == ["a", "b", "c"]
    assert [variant_at(recipe, t) for t in range(10)] == [0, 0, 1, 1, 2, 2, 0, 0, 1, 0]
    assert {one.strength for one in variants(recipe)} == {0.25}


def test_the_forecast_knows_the_styles(film: Path) -> None:
    asked = read_style_at(["12-23=b;style-scale=1080"])
    seen = foresee(film, PLAIN, given=(), style_at=asked, progress=Silent())
    assert (seen.styles, seen.notes) == (("a", "b", "a", "a"), ())
    inside = foresee(film, PLAIN, given=(), style_at=read_style_at(["0-8=b"]), progress=Silent())
    assert inside.notes == ("the style changes at frame 9, inside a shot; a cut is at 12",)
    large = replace(read_film(film), width=1920, height=1080)
    mixed = with_styles(PLAIN, asked, large)
    fine = PLAIN.model_copy(update={"style_scale": 1080})
    net = [predict_times(seen.plan, large, recipe).net for recipe in (PLAIN, mixed, fine)]
    assert net == sorted(set(net)), "more than all in broad strokes, less than all in fine ones"
    assert needs(large, mixed) == needs(large, fine) != needs(large, PLAIN)


# -- what is said ----------------------------------------------------------------------------------


def test_the_sidecar_says_it_and_its_command_makes_it_again(film: Path) -> None:
    ranges = ["6-20=b;structure=0.3", "30-35=c;style-scale=64;keep-color=1.0;strength=0.5"]
    found = paint(film, "said", *ranges)
    said = read_sidecar(found.job.target)
    assert said is not None
    asked = WorkFolder(found.job.folder).asked().recipe
    assert said.recipe["style_at"] == asked.model_dump(mode="json")["style_at"]
    words = shlex.split(said.command or "")
    own = [words[i + 1] for i, word in enumerate(words) if word == "--style-at"]
    assert own == ranges
    assert with_styles(PLAIN, read_style_at(own), read_film(film)) == asked
    about = read_provenance(read_about(found.job.table))
    assert dict(settings(about))["style at"] == ", ".join(ranges)
    checks = {one["name"]: one["ok"] for one in said.checks}
    assert checks
    assert all(checks.values())


def test_a_file_is_named_from_the_painted_films_folder(tmp_path: Path) -> None:
    painting = tmp_path / "p.jpg"
    painting.touch()
    recipe = Recipe(style="a", style_at=(Passage(start=0, stop=2, style=str(painting)),))
    said = command(recipe, source=tmp_path / "f.mp4", target=tmp_path / "out.mp4")
    assert "--style-at 0-1=p.jpg" in (said or "")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["12-23"], "names no range or no style"),
        (["=b"], "names no range or no style"),
        (["x-y=b"], "'x' is no place"),
        (["20-12=b"], "frames 20-12 end before they begin"),
        (["1s-0.5s=b"], "0.5s comes before 1s"),
        (["40-48=b"], "frames 40-48 are not all in the film: it has 0-47"),
        (["9s=b"], "9s is not in the film: it ends at"),
        (["00:00:01:00-00:00:02:00=b"], "the film has no timecode"),
        (["12-23=b", "20-30=c"], "frame 20 of the film is in two of them"),
        (["12-23=b;structure=2"], "structure: should be less than or equal to 1, got '2'"),
    ],
)
def test_what_makes_no_sense_is_one_line(film: Path, texts: list[str], said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        with_styles(PLAIN, read_style_at(texts), read_film(film))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "--style-at" in str(caught.value)


def test_times_are_frames_with_both_ends(film: Path) -> None:
    rate = read_film(film).frame_rate
    ends = [f"{float(frame / rate):.4f}s" for frame in (12.2, 23.2)]
    recipe = with_styles(PLAIN, read_style_at([f"{'-'.join(ends)}=b"]), read_film(film))
    assert [(one.start, one.stop) for one in recipe.style_at] == [(12, 24)]


# -- in a job file ---------------------------------------------------------------------------------


def asked_in(film: Path, text: str) -> Recipe:
    """What a job file asks of the film, looked at as a batch looks at it."""
    path = film.with_name("job.yaml")
    path.write_text(HEAD + text, encoding="utf-8")
    (order,) = read_job_file(path).orders
    job = Job(order.source, order.target, PLAIN)
    return ready(order, job, styles=style_finder()).job.recipe


def test_a_part_is_painted_as_if_all_of_the_film_were_in_its_style(film: Path) -> None:
    found = asked_in(
        film,
        "styles:\n"
        "  dark: {gallery: adele, structure: 0.5, strength: 0.8}\n"
        "  fine: {gallery: trellis, structure: 0.25, style_scale: 720, keep_color: 1}\n"
        "films:\n"
        "- source: film.mkv\n"
        "  style: dark\n"
        "  keep_color: 0.5\n"
        "  first_frame: 1001\n"
        "  shots:\n"
        "  - {frames: 1013-1024, style: fine}\n"
        "  - {from: 1031, to: 1036, style: fine, strength: 0.25}\n"
        "  - {frames: 1041-1044, strength: 0}\n",
    )
    own: dict[str, object] = {"style": "trellis", "structure": 0.25, "style_scale": 720}
    assert found.style_at == (
        Passage.model_validate({"start": 12, "stop": 24, "strength": 1.0, **own}),
        Passage.model_validate({"start": 30, "stop": 36, "strength": 0.25, **own}),
    )
    assert (found.keep_color, found.structure) == (0.5, 0.5)
    curve = found.strength_curve
    values = [float(curve.at(Fraction(t))) for t in (0, 15, 39, 40, 43, 44, 47)]
    assert values == [0.8, 0.8, 0.8, 0, 0, 0.8, 0.8]


def test_styles_and_strengths_of_parts_go_together(film: Path) -> None:
    """A strength of some frames goes over a style of more that has none of its own."""
    asked = asked_in(
        film,
        "films:\n- source: film.mkv\n  style: adele\n  shots:\n"
        "  - {frames: 12-35, style: trellis}\n  - {frames: 20-25, strength: 0}\n",
    )
    styles = {"adele": "a", "trellis": "b"}
    passages = tuple(one.model_copy(update={"style": styles[one.style]}) for one in asked.style_at)
    recipe = asked.model_copy(update={"style": "a", "style_at": passages})
    found = paint(film, "both", recipe=recipe)
    plain = paint(film, "styled", "12-35=b")
    clear = [20 <= t <= 25 for t in range(48)]
    assert equal(found.frames, pictures(film)) == clear
    assert equal(found.frames, plain.frames) == [not one for one in clear]


@pytest.mark.parametrize(
    ("shots", "said"),
    [
        ("[{frames: 8-30, style: adele}, {frames: 20-40, style: trellis}]",
         "shots[1] (line 4): frame 20 of the film has a style from shots[0] (line 4) already"),
        ("[{frames: 8-30, style: adele, strength: 1}, {frames: 20-40, strength: 0}]",
         "frame 20 of the film has a strength from shots[0]"),
        ("[{frames: 40-48, style: adele}]",
         "shots[0] (line 4): frames 40-48 are not all in the film: it has 0-47"),
        ("[{frames: 8-30, style: adelle}]", "shots[0] (line 4): no style 'adelle'"),
        ('[{from: "01:00:00:00", to: "01:00:00:05", style: adele}]', "the film has no timecode"),
        ("[{frames: 8-30, style: fast}]",
         ":4: films[0].shots[0].style: its style has another codec, which holds for a whole film"),
        ("[{frames: 8-30, style: fades}]", "its style has a strength over time"),
        ("[{frames: 8-30}]", "should have a style, a strength or both"),
        ("[{frames: 8-30, style: ./none/x.jpg}]", "shots[0] (line 4): "),
    ],
)  # fmt: skip
def test_a_part_that_makes_no_sense_is_one_line(film: Path, shots: str, said: str) -> None:
    text = (
        f"films: [{{source: film.mkv, style: adele,\n  shots: {shots}}}]\n"
        "styles:\n  fast: {gallery: adele, codec: h264}\n"
        "  fades: {gallery: adele, strength: '0s:0,2s:1'}\n"
    )
    with pytest.raises(FilmError) as caught:
        asked_in(film, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_film_is_there_if_its_parts_were_painted_so(film: Path) -> None:
    text = "defaults: {codec: ffv1, style: a, output: known.mkv}\nfilms:\n- source: film.mkv\n"
    path = film.with_name("known.yaml")
    paint(film, "known", "12-23=b")

    def looked_at(style: str) -> Ready:
        shots = f"  shots: [{{frames: 12-23, style: {style}}}]\n"
        path.write_text(f"schema: reelbrush/v1\n{text}{shots}", encoding="utf-8")
        (order,) = read_job_file(path).orders
        return ready(order, Job(order.source, order.target, PLAIN), styles=None)

    assert looked_at("b").done
    with pytest.raises(BadRequest, match="was made with another style_at"):
        looked_at("c")


def test_a_parts_picture_has_to_be_where_the_cluster_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    films = (
        "films: [{source: /srv/a.mkv, style: adele,\n  shots: [{frames: 1-2, style: p/x.jpg}]}]\n"
    )
    path.write_text(HEAD + films, encoding="utf-8")
    with pytest.raises(BadRequest, match=r":4: films\[0\]\.shots\[0\]\.style: 'p/x\.jpg' is named"):
        read_job_file(path, elsewhere=True)
