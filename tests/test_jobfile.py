"""Job files: what they may say, and what is said of those that say something else."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from films import make_film, texture
from jobs.jobfile import SETTINGS, JobFile, Keyed, schema
from jobs.jobfile_read import Batch, read_job_file
from jobs.places import Places
from jobs.strength import Over, curve_of, folded
from jobs.yaml_lines import read_lines
from pipeline.curve import flat, parse_curve
from pipeline.errors import BadRequest
from pipeline.media.clock import frames_between, later_timecode
from pipeline.media.container import read_film
from pipeline.recipe import Recipe

ROOT = Path(__file__).parent.parent
HEAD = "schema: reelbrush/v1\n"
Read = Callable[[str], Batch]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a text as a job file."""

    def reading(text: str) -> Batch:
        path = tmp_path / "job.yaml"
        path.write_text(text, encoding="utf-8")
        return read_job_file(path)

    return reading


def wrong(read: Read, text: str) -> list[str]:
    """What is said of a text, each line without the file's folder."""
    with pytest.raises(BadRequest) as caught:
        read(text)
    return [line.partition("job.yaml")[2] for line in str(caught.value).splitlines()]


# -- what a file may say ---------------------------------------------------------------------------


def test_the_example_of_the_docs_is_understood() -> None:
    one, two, three = read_job_file(ROOT / "docs" / "night.yaml").orders
    assert (one.name, one.priority, one.target.name) == ("reel1", 2, "reel1.waves.mov")
    assert one.settings == {"style": "great-wave", "codec": "prores", "style_scale": 720}
    assert [shot.strength for shot in two.shots] == [0.4, 0, None, 0.5]
    assert (three.first_frame, three.frames) == (1001, "1010-1089")
    assert three.settings["style"] == "great-wave:0.7,starry-night:0.3"


def test_the_readmes_example_is_understood(read: Read) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    orders = read(readme.partition("```yaml\n")[2].partition("```")[0]).orders
    assert [order.name for order in orders] == ["reel1", "reel2"]


def test_the_film_wins_over_its_style_and_the_style_over_the_defaults(read: Read) -> None:
    batch = read(
        HEAD + "defaults: {style: a, crf: 1, structure: 0.1, size: S}\n"
        "styles: {a: {gallery: adele, structure: 0.2, size: M, strength: 0.5}}\n"
        "films: [{source: x.mp4, size: auto}, {source: y.mp4, strength: 0.25}]\n"
    )
    settings = {"style": "adele", "crf": 1, "structure": 0.2}
    assert batch.orders[0].settings == settings | {"size": "auto"}
    assert batch.orders[1].settings == settings | {"size": "M"}
    assert [order.strength for order in batch.orders] == [0.5, 0.25]


def test_files_are_named_from_the_job_files_folder(read: Read, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "oil.jpg").touch()
    batch = read(
        HEAD + "work: w\n"
        "styles: {oil: {image: p/oil.jpg}, plain: p/oil.jpg, two: {mix: {oil: 2, adele: 1}}}\n"
        "films:\n"
        '- {source: a/x.mp4, style: oil, output: "out/{style}/{source}", key: {3: k.png}}\n'
        "- {source: a/y.mp4, style: plain}\n"
        "- {source: a/z.mp4, style: two, output: o/}\n"
        "- {source: a/w.mp4, style: p/oil.jpg, output: w.mkv}\n"
    )
    one, two, three, four = batch.orders
    assert one.target == tmp_path / "out" / "oil" / "x.mp4"
    assert one.work == tmp_path / "w" / "x.work"
    assert one.key == {"3": tmp_path / "k.png"}
    assert two.settings["style"] == str(tmp_path / "p" / "oil.jpg") == four.settings["style"]
    assert two.target == tmp_path / "a" / "y.painted.mp4"
    assert three.settings["style"] == f"{tmp_path}/p/oil.jpg:2,adele:1"
    assert three.target == tmp_path / "o" / "z.painted.mp4"
    assert four.target == tmp_path / "w.mkv"


def test_a_deadline_without_a_zone_is_this_machines(read: Read) -> None:
    films = "films: [{source: x.mp4, deadline: 2026-11-22T08:00}, {source: y.mp4, deadline: %s}]"
    batch = read(HEAD + "defaults: {style: a}\n" + films % "2026-11-22T08:00:00Z")
    here, there = (order.deadline for order in batch.orders)
    assert here == datetime(2026, 11, 22, 8).astimezone()
    assert there == datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_every_option_of_a_recipe_can_stand_in_a_job_file() -> None:
    words = schema()["$defs"]
    assert isinstance(words, dict)
    for part in ("Defaults", "Film", "Style"):
        assert {*SETTINGS, "strength"} <= set(words[part]["properties"])
    assert {"codec", "keys", "on_error", "flicker_budget"} <= set(SETTINGS)
    assert not {"terms", "rho", "given"} & set(SETTINGS)


def test_the_schema_takes_what_is_taken_and_refuses_what_is_refused() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    example = read_lines((ROOT / "docs" / "night.yaml").read_text("utf-8")).value
    validator.validate(example)
    film: dict[str, object] = {"source": "a.mp4", "style": "x"}
    curve = {"keys": {"12": 0.5}}
    goods: list[dict[str, object]] = [{}, {"crf": None}, {"strength": curve}, {"max_keys": "15%"}]
    bads: list[dict[str, object]] = [{"stlye": "x"}, {"codec": "vhs"}, {"strength": 2}]
    bads.append({"shots": [{"frames": "1-2"}]})
    for good in goods:
        value = {"schema": "reelbrush/v1", "films": [film | good]}
        validator.validate(value)
        JobFile.model_validate(value)
    for bad in bads:
        value = {"schema": "reelbrush/v1", "films": [film | bad]}
        assert not validator.is_valid(value)
        with pytest.raises(ValueError, match="validation error"):
            JobFile.model_validate(value)
    json.dumps(schema())


# -- what is said of others ------------------------------------------------------------------------


def test_all_that_is_wrong_is_said_at_once_with_lines(read: Read) -> None:
    said = wrong(
        read,
        HEAD + "defaults: {style: adele}\n"
        "films:\n"
        "- source: a.mp4\n"
        "  stlye: x\n"
        "- source: b.mp4\n"
        "  crf: 99\n"
        "  codec: h264\n"
        "- source: c.mp4\n"
        "  shots:\n"
        "  - {frames: 1-2, codec: ffv1, strength: 1}\n"
        "  - {frames: 9-2, strength: 1}\n"
        "- {source: d.mp4, keys: 2, max_keys: 3}\n"
        "- {source: e.mp4, style_scale: 3, strength: 0:2}\n"
        "- {sourc: f.mp4}\n"
        "machins: {}\n",
    )
    assert said == [
        ": 10 errors",
        ":5: unknown key 'stlye' at films[0], did you mean 'style'?",
        ":7: films[1].crf: h264 has a quality of 0 to 51, got 99",
        ":11: 'codec' at films[2].shots[0]: not covered yet for a part of a film; only style and "
        "strength are",
        ":12: films[2].shots[1].frames: frames 9-2 end before they begin",
        ":13: films[3]: max_keys: keys stand where they leave least: leave keys at auto",
        ":14: films[4].strength: 2 is above 1, got '0:2'",
        ":14: films[4].style_scale: should be 'film' or should be greater than or equal to 64, "
        "got 3",
        ":15: 'source' is missing at films[5]",
        ":15: unknown key 'sourc' at films[5], did you mean 'source'?",
        ":16: unknown key 'machins', did you mean 'machines'?",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: there is nothing in it"),
        ("films: [", "no YAML"),
        ("- a", ":1: should be keys with values"),
        ("films: [{source: a, style: b}]", ":1: 'schema' is missing"),
        (
            "schema: reelbrush/v9\nfilms: [{source: a, style: b}]",
            ":1: schema: should be 'reelbrush",
        ),
        (HEAD + "films: []", ":2: films:"),
        (HEAD + "films: {source: a}", ":2: films: should be a list"),
        (HEAD + "films: [{source: a}]", ":2: films[0]: 'style' is missing here and in defaults"),
        (HEAD + "films:\n- {source: a, style: b}\n- {source: a, style: b}", "called 'a' too"),
        (
            HEAD + "films:\n- {source: a, style: b, output: x}\n"
            "- {source: c, style: b, output: x.mp4}",
            ":4: films[1]: ",
        ),
        (
            HEAD
            + "films:\n- {source: a.mp4, style: b, output: c.mp4}\n- {source: c.mp4, style: b}",
            "would replace the source",
        ),
        (HEAD + "films: [{source: a, source: b, style: c}]", ":2: 'source' stands here twice"),
        (HEAD + "films: [{source: a, style: b, output: '{nmae}'}]", "did you mean 'name'?"),
        (HEAD + "films: [{source: a, style: b, output: '{name.x}'}]", "knows no {name.x}"),
        (HEAD + "films: [{source: a, style: b, deadline: 12}]", "should be a time like 2026"),
        (HEAD + "films: [{source: a, style: b, name: ../x}]", ":2: films[0].name:"),
        (HEAD + "films: [{source: a, style: b, key: {x: y.png}}]", "'x' is no place"),
        (HEAD + "films: [{source: a, style: b}]\nmachines: {memory: lots}", ":3: machines.memory"),
        (HEAD + "films: [{source: a, style: s}]\nstyles: {s: {}}", "one of gallery, image"),
        (HEAD + "films: &x [{source: a, style: b, shots: *x}]", "refers to itself"),
    ],
)
def test_what_is_no_job_file_is_refused_by_its_line(read: Read, text: str, said: str) -> None:
    assert said in wrong(read, text)[0 if len(wrong(read, text)) == 1 else 1]


def test_a_job_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="No such file"):
        read_job_file(tmp_path / "job.yaml")


def test_words_are_read_as_yaml_1_2_has_them() -> None:
    read = read_lines("a: [1:30, 10:00:10:05, yes, 2026-11-22, 0.5, 1e-3, 12, true, ~]\n1: 2").value
    words = ["1:30", "10:00:10:05", "yes", "2026-11-22", 0.5, 1e-3, 12, True, None]
    assert read == {"a": words, "1": 2}


def test_what_is_merged_in_gives_way_to_what_is_there() -> None:
    read = read_lines("b: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n")
    assert read.value == {"b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}}
    assert (read.complaints, read.of(("c", "y"))) == ((), 4)


# -- strength over time ----------------------------------------------------------------------------


class Clock:
    """Frames at some times."""

    def __init__(self, durations: list[int], base: Fraction) -> None:
        self.pts: NDArray[np.int64] = np.cumsum([7, *durations]).astype(np.int64)
        self.time_base = base


@given(
    st.lists(st.integers(1, 3), min_size=11, max_size=11),
    st.sampled_from(["0.25", "0:0,4:1,9:0.5", "0s:0,0.1s:1,0.3s:0.2", "3:1"]),
    st.sets(st.integers(0, 11), min_size=2, max_size=6),
)
def test_parts_have_their_own_strength_and_the_others_keep_theirs(
    durations: list[int], words: str, ends: set[int]
) -> None:
    film = Clock([1001 * d for d in durations], Fraction(1, 30000))
    base = parse_curve(words)
    bounds = sorted(ends)
    over = [
        Over(a, b, 0.125 * (i + 1))
        for i, (a, b) in enumerate(zip(bounds[::2], bounds[1::2], strict=False))
    ]
    curve = parse_curve(str(folded(base, over, film)))
    own = {frame: one.value for one in over for frame in range(one.start, one.stop)}
    for frame in range(12):
        wanted = own.get(frame, base.of_frame(film, frame))
        assert curve.of_frame(film, frame) == pytest.approx(wanted, abs=1e-9)


def test_parts_that_overlap_or_bend_a_smooth_strength_are_refused() -> None:
    film = Clock([1] * 9, Fraction(1, 25))
    with pytest.raises(BadRequest, match="frame 4 of the film is in two of them"):
        folded(flat(1), [Over(4, 6, 0), Over(2, 5, 1)], film)
    with pytest.raises(BadRequest, match="smooth"):
        folded(parse_curve("0:0,9:1,smooth"), [Over(2, 5, 1)], film)


def test_timecodes_are_counted_as_they_are_advanced() -> None:
    ntsc = Fraction(30000, 1001)
    for frames in (0, 1, 1799, 1800, 17982, 100_000):
        later = later_timecode("00:59:58;28", frames, rate=ntsc)
        assert frames_between("00:59:58;28", later, rate=ntsc) == frames
    assert frames_between("23:59:59:24", "00:00:00:01", rate=Fraction(25)) == 2
    assert frames_between("01:00:00:00", "00:59:59:24", rate=Fraction(25)) == -1
    for code in ("00:01:00;00", "00:00:00:25", "soon"):
        with pytest.raises(BadRequest):
            frames_between("00:00:00;00", code, rate=Fraction(25) if ":2" in code else ntsc)


def test_places_are_found_by_number_time_and_timecode(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mkv", texture(30, (64, 48)), codec="ffv1"))
    places = Places(replace(film, timecode="01:00:00:00"), 1001)
    assert [places.frame(p) for p in ("1003", "0.1s", "01:00:01:02")] == [2, 2, 27]
    assert places.frames("1001-1030") == (0, 30)
    for place, said in (("1000", "it has 1001-1030"), ("00:59:59:24", "30 from 01:00:00:00")):
        with pytest.raises(BadRequest, match=said):
            places.frame(place)


def test_a_recipe_says_what_its_fields_are_for() -> None:
    assert "frames" in str(Recipe.model_fields["max_gap"].description)


def test_keys_stand_at_frames_or_times_not_at_both() -> None:
    both = Keyed(keys={"3": 1, "2s": 0})
    with pytest.raises(BadRequest, match="not at both"):
        curve_of(both, places=None)  # type: ignore[arg-type]
