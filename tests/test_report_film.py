"""Reports of made films: one whole file, or one line that says why not."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import pytest

from commands import Ended, command
from films import Picture, Size, cut, letterbox, make_film, texture
from jobs.progress import Silent
from jobs.report import MOST_BYTES, report
from jobs.report_choice import worst
from jobs.report_pictures import take_pictures
from jobs.report_read import read_painted
from jobs.stylize import Job, stylize
from painters import Boils, Washes
from pipeline.judge.tables import read_rows, write_rows
from pipeline.recipe import Recipe

NASTY = "<img src=x onerror=alert(1)>&amp;<script>alert(2)<script>"


class Page(HTMLParser):
    """What is on a page: its tags, what they hold by name, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.content = path.read_text("utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(self.content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data

    def every(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.tags if name == tag]

    def data(self) -> dict[str, object]:
        """What the script is given."""
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', self.content)
        assert found
        read: dict[str, object] = json.loads(found[1])
        return read


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with a cut, and the same painted, both with names to be wary of."""
    folder = tmp_path_factory.mktemp("shop")
    film = make_film(folder / f"{NASTY}.mp4", cut(20, (96, 64), at=11), timecode="01:00:00:00")
    job = Job(film, folder / f"{NASTY} painted.mp4", Recipe(style="made", crf=30))
    stylize(job, progress=Silent(), hire=Boils)
    return folder


@pytest.fixture
def painted(shop: Path, tmp_path: Path) -> Path:
    """A copy of the painted film beside its table and its source."""
    for path in shop.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path / f"{NASTY} painted.mp4"


@pytest.fixture(scope="module")
def made(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A report."""
    target = tmp_path_factory.mktemp("page") / "page.html"
    report(shop / f"{NASTY} painted.mp4", target=target, progress=Silent())
    return Page(target)


def run(*words: object, patch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Ended:
    """Run ``reelbrush report``."""
    return command("report", *words, patch=patch, capfd=capfd)


def table_of(film: Path) -> Path:
    """Where the table of a painted film lies."""
    return film.with_name(film.name + ".frames.parquet")


# -- what is on the page ---------------------------------------------------------------------------


def test_names_are_text_wherever_they_stand(made: Page) -> None:
    assert made.text.count(NASTY) >= 3
    assert not [one for one in made.every("img") if one.get("src") == "x"]
    assert not any(name.startswith("on") for _, values in made.tags for name in values)
    assert [one.get("type") for one in made.every("script")] == ["application/json", None]


def test_all_that_a_page_loads_is_in_it(made: Page) -> None:
    for tag, values in made.tags:
        for name in ("src", "href", "poster", "srcset"):
            if name in values:
                assert (values[name] or "").startswith("data:"), tag
    policy = next(one["content"] for one in made.every("meta") if "http-equiv" in one)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_every_picture_says_in_words_what_it_shows(made: Page) -> None:
    pictures = made.every("img")
    assert len(pictures) == 2 * 2 + 3 * 10 + 1
    assert all("alt" in one and one.get("width") and one.get("height") for one in pictures)
    assert sum(not one["alt"] for one in pictures) == 1  # the scale, beside its words


def test_a_page_has_shots_worst_frames_facts_settings_and_versions(made: Page) -> None:
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", made.content)
    assert headings == [
        "Film and painting", "Flicker over time", "Worst frames", "Shots",
        "Facts", "Settings", "Versions",
    ]  # fmt: skip
    for words in ("Shot 2", "Frames 11 to 19, 01:00:00:11", "crf", "opencv-python-headless"):
        assert words in made.text


def test_the_script_has_the_numbers_of_the_table(made: Page, shop: Path) -> None:
    rows = read_rows([table_of(shop / f"{NASTY} painted.mp4")])
    data = made.data()
    losses = [None if row.loss is None else round(row.loss * 1e8) for row in rows]
    assert data["loss"] == losses
    assert data["cuts"] == [11]
    assert data["keys"] == [i for i, row in enumerate(rows) if row.key]
    assert data["timecode"] == {"start": 90000, "nominal": 25, "dropped": 0, "mark": ":"}
    assert data["stretches"] == [[0, 20, "Whole film"]]


def test_keys_that_the_gate_asked_for_are_told_apart_and_say_why(
    made: Page, tmp_path: Path
) -> None:
    film = make_film(tmp_path / "film.mkv", texture(9, shift=(12, 4)), codec="ffv1")
    recipe = Recipe(style="made", codec="ffv1", flicker_budget=0.01, keys=8)
    job = Job(film, tmp_path / "painted.mkv", recipe)
    stylize(job, progress=Silent(), hire=Washes)
    asked = {r.frame: r.promoted for r in read_rows([job.table]) if r.promoted is not None}
    assert asked
    assert all(excess > 1 for excess in asked.values())
    page = Page(report(job.target, target=tmp_path / "page.html", progress=Silent()).target)
    assert page.data()["keys"] == [0, 8]
    assert page.data()["promoted"] == [[f, pytest.approx(x, abs=0.01)] for f, x in asked.items()]
    marks = next(one["d"] for one in page.every("path") if one.get("id") == "p-promoted")
    assert (marks or "").count("M") == len(asked)
    for frame, excess in asked.items():
        assert re.search(rf"Frame {frame}, \S+{excess:.2f} times its budget of", page.text)
    assert "key that the gate asked for" in page.text
    assert "asked for by the gate" not in made.text


def test_the_same_film_has_the_same_page(made: Page, shop: Path, tmp_path: Path) -> None:
    report(shop / f"{NASTY} painted.mp4", target=tmp_path / "b.html", progress=Silent())
    assert (tmp_path / "b.html").read_text("utf-8") == made.content
    assert len(made.content) < MOST_BYTES


def test_a_part_of_a_film_is_shown_beside_the_same_part(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", texture(16, (64, 48)), rate=Fraction(30000, 1001))
    job = Job(film, tmp_path / "part.mkv", Recipe(style="made", codec="ffv1", frames=(5, 12)))
    stylize(job, progress=Silent(), hire=Washes)
    found = read_painted(job.target, None)
    assert (found.first, found.source.path.name) == (5, "film.mp4")
    made = report(job.target, target=tmp_path / "part.html", progress=Silent())
    page = Page(made.target)
    assert (made.frames, page.data()["first"]) == (7, 5)
    assert "frames 5 to 11 of the source" in page.text


@pytest.mark.parametrize("moving", [texture, letterbox])
def test_a_heat_map_measures_again_what_is_on_record(
    moving: Callable[[int, Size], Iterator[Picture]], tmp_path: Path
) -> None:
    film = make_film(tmp_path / "film.mkv", moving(14, (96, 96)), codec="ffv1")
    job = Job(film, tmp_path / "painted.mkv", Recipe(style="made", codec="ffv1"))
    stylize(job, progress=Silent(), hire=Boils)
    painted = read_painted(job.target, None)
    chosen = worst(painted.rows)
    taken = take_pictures(painted, shots=[], worst=chosen, progress=Silent())
    assert [one.place for one in taken.worst] == chosen
    for one in taken.worst:
        row = painted.rows[one.place]
        assert one.error == pytest.approx(row.loss, rel=0.01)
        assert one.coverage == pytest.approx(row.coverage)


# -- the command -----------------------------------------------------------------------------------


def test_a_report_is_written_here_and_not_over_a_file(
    painted: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (painted.parent / "cwd").mkdir()
    monkeypatch.chdir(painted.parent / "cwd")
    ended = run(painted, patch=monkeypatch, capfd=capfd)
    assert (ended.code, ended.said) == (0, []), ended.err
    target = Path(f"{painted.stem}.html")
    assert target.is_file()
    assert "20 frames" in ended.out
    again = run(painted, patch=monkeypatch, capfd=capfd)
    assert again.code == 2
    assert "--overwrite" in again.said[0]
    assert run(painted, "--overwrite", patch=monkeypatch, capfd=capfd).code == 0
    assert [path.name for path in Path().iterdir()] == [target.name]


def test_a_report_never_takes_the_name_of_a_film(
    painted: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = run(painted, "-o", painted, "--overwrite", patch=monkeypatch, capfd=capfd)
    assert ended.code == 2
    assert "name a .html" in ended.said[0]


def test_a_film_without_a_table_was_not_painted_here(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run(shop / f"{NASTY}.mp4", patch=monkeypatch, capfd=capfd)
    assert ended.code == 3
    assert len(ended.said) == 1
    assert "has no table" in ended.said[0]


def test_a_table_of_another_film_is_refused(
    painted: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(painted.parent)
    table = table_of(painted)
    rows = read_rows([table])
    cases = {
        "20 frames and its table 19 rows": rows[:-1],
        "leaves frames out": [*rows[:-1], type(rows[0])(30, 99999, key=False)],
        "other times than": [*rows[:-1], type(rows[0])(19, rows[-1].pts + 5000, key=False)],
    }
    for words, wrong in cases.items():
        write_rows(wrong, table)
        ended = run(painted, "--source", painted.with_name(f"{NASTY}.mp4"),
                    patch=monkeypatch, capfd=capfd)  # fmt: skip
        assert ended.code == 3, words
        assert len(ended.said) == 1
        assert words in ended.said[0]
        assert "Traceback" not in ended.err


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"x" * 1000])
def test_a_table_that_is_none_is_refused(
    content: bytes,
    painted: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    table_of(painted).write_bytes(content)
    ended = run(painted, patch=monkeypatch, capfd=capfd)
    assert ended.code == 3
    assert "not readable as a table" in ended.said[0]


def test_a_source_that_is_gone_has_to_be_named(
    painted: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(painted.parent)
    source = painted.with_name(f"{NASTY}.mp4")
    moved = source.rename(painted.with_name("moved.mp4"))
    ended = run(painted, patch=monkeypatch, capfd=capfd)
    assert ended.code == 3
    assert "--source" in ended.said[0]
    ended = run(painted, "--source", moved, "-o", "a.html", patch=monkeypatch, capfd=capfd)
    assert ended.code == 0, ended.err


def test_a_table_that_names_no_source_asks_for_one(
    painted: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(painted.parent)
    write_rows(read_rows([table_of(painted)]), table_of(painted))
    ended = run(painted, patch=monkeypatch, capfd=capfd)
    assert ended.code == 3
    assert "give --source" in ended.said[0]
    source = painted.with_name(f"{NASTY}.mp4")
    ended = run(painted, "--source", source, "-o", "a.html", patch=monkeypatch, capfd=capfd)
    assert ended.code == 0, ended.err
    assert "not kept by the version" in Page(Path("a.html")).text


def test_another_film_is_no_source(
    painted: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(painted.parent)
    other = make_film(painted.parent / "other.mp4", texture(20, (64, 48)))
    ended = run(painted, "--source", other, patch=monkeypatch, capfd=capfd)
    assert ended.code == 3
    assert "was not painted from other.mp4" in ended.said[0]
    make_film(painted.with_name(f"{NASTY}.mp4"), texture(20, (96, 64), seed=4))
    ended = run(painted, patch=monkeypatch, capfd=capfd)
    assert ended.code == 3
    assert "has changed since" in ended.said[0]
