"""What people write for a style: names, files and mixes to codes; what makes no sense is a line."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file

import pipeline.paint.encoder
from jobs.chosen import chosen, keep, kept
from jobs.ledger import Asked, WorkFolder
from pipeline.errors import BadRequest, MissingWeights, UnknownStyle
from pipeline.paint.choice import choose, choose_all, mix, split_styles
from pipeline.paint.code_file import CodeFile, packed, read_code_file
from pipeline.paint.styles import Caption, StyleCode, delta_of, load_code, manifest
from pipeline.recipe import Recipe

NOBODY = Caption("", "", "", "", painting="")


def code(seed: int, *, basis: str = "") -> StyleCode:
    values = np.random.default_rng(seed).normal(size=256).astype(np.float32)
    return StyleCode(f"code-{seed}", tuple(values.tolist()), basis or manifest()["basis"])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a code file, and the command's own folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.style").write_bytes(packed(CodeFile(code(1), NOBODY)))
    return tmp_path


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the encoder: the picture's mean, 256 times."""

    def encode_picture(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], str]:
        return np.full(256, picture.mean() / 255, np.float32), "mean"

    monkeypatch.setattr(pipeline.paint.encoder, "encode_picture", encode_picture)
    monkeypatch.setattr(pipeline.paint.encoder, "basis_of_shipped", lambda: manifest()["basis"])


def picture(path: Path, *, seed: int = 0) -> Path:
    """A picture file without margins."""
    pixels = np.random.default_rng(seed).integers(0, 256, (300, 300, 3), np.uint8)
    cv2.imwrite(str(path), pixels)
    return path


# -- what a text means -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "styles"),
    [
        ("adele", ["adele"]),
        ("adele, trellis ,", ["adele", "trellis"]),
        ("adele:0.5, trellis:0.5", ["adele:0.5,trellis:0.5"]),
        ("adele+trellis,adele", ["adele+trellis", "adele"]),
        ("adele:2+trellis:1,adele", ["adele:2+trellis:1", "adele"]),
        ("adele:1", ["adele:1"]),
    ],
)
def test_commas_separate_styles_unless_every_one_has_a_weight(text: str, styles: list[str]) -> None:
    assert split_styles(text) == styles


def test_a_name_of_the_gallery_is_its_code() -> None:
    assert choose("adele").code == load_code("adele")
    assert choose("adele:1").code.digest == load_code("adele").digest


def test_several_styles_come_in_their_order() -> None:
    found = choose_all("trellis,adele+trellis")
    assert [choice.code.name for choice in found] == ["trellis", "adele:0.5+trellis:0.5"]


def test_a_code_file_is_its_code(files: Path) -> None:
    assert choose("mine.style").code == code(1)
    assert choose(str(files / "mine.style")).code == code(1)


def test_a_mix_is_the_sum_by_weight(files: Path) -> None:
    found = choose("adele:0.25,mine.style:0.75")
    line = 0.25 * np.array(load_code("adele").values) + 0.75 * np.array(code(1).values)
    assert np.allclose(found.code.values, line, atol=1e-6)
    assert found.notes == ()
    assert files.is_dir()


def test_weights_that_do_not_sum_to_1_are_brought_to_it_and_that_is_said() -> None:
    found = choose("adele:3,trellis:1")
    assert found.code.values == choose("adele:.75,trellis:.25").code.values
    assert "sum to 4" in found.notes[0]
    assert choose("adele+trellis").notes == ()


@settings(deadline=None)
@given(weights=st.lists(st.fractions(Fraction(1, 100), 100), min_size=1, max_size=4))
def test_a_mix_of_one_style_with_itself_is_that_style(weights: list[Fraction]) -> None:
    mixed = mix([code(3)] * len(weights), weights)
    assert np.allclose(mixed.values, code(3).values, atol=1e-6)


def test_two_mixes_of_the_same_values_have_one_digest() -> None:
    assert choose("adele:1,trellis:1").code.digest == choose("trellis+adele").code.digest
    assert choose("adele:1,trellis:1").code.digest != choose("adele:1,trellis:2").code.digest


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adel", "did you mean adele"),
        ("painting.jpg", "painting.jpg is neither"),
        ("adele:0.5,painting.jpg:0.5", "painting.jpg is neither"),
        ("adele,trellis", r"names 2 styles.*adele\+trellis"),
        ("adele:0.5,trellis", "every style of a mix a weight"),
        ("adele:0.5+trellis", "every style of a mix a weight"),
        ("adele:0,trellis:1", "above 0"),
        ("adele+", "cannot be in a mix"),
        ("a:b.jpg:0.5,adele:0.5", "a:b.jpg"),
        (",", "names no style"),
        (".", "neither a style nor a file"),
        ("x" * 5000, "no style"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as caught:
        choose(text)
    assert "\n" not in str(caught.value)


# -- code files ------------------------------------------------------------------------------------


def test_a_code_file_gives_back_all_that_is_known_of_a_painting(tmp_path: Path) -> None:
    caption = Caption("code-2", "Blotches", "N. N.", "1889", painting="")
    content = CodeFile(code(2), caption, encoder="e" * 64)
    (tmp_path / "two.style").write_bytes(packed(content))
    assert read_code_file(tmp_path / "two.style") == content


def test_what_was_trained_for_one_painting_alone_comes_with_its_code(tmp_path: Path) -> None:
    delta = delta_of({"stem.weight": np.ones((2, 3), np.float32), "stem.bias": np.zeros(2, "f4")})
    tuned = replace(code(2), delta=delta)
    (tmp_path / "two.style").write_bytes(packed(CodeFile(tuned, NOBODY)))
    found = read_code_file(tmp_path / "two.style").code
    assert found == tuned
    assert hash(found) == hash(tuned)
    assert found.delta is not None
    assert np.array_equal(found.delta.arrays["stem.weight"], np.ones((2, 3)))
    assert len({code(2).digest, found.digest, replace(found, delta=delta_of({})).digest}) == 3
    with pytest.raises(BadRequest, match="cannot be mixed"):
        mix([found, code(1)], [Fraction(1), Fraction(1)])


def test_a_code_for_another_painter_is_refused(files: Path) -> None:
    (files / "old.style").write_bytes(packed(CodeFile(code(1, basis="another"), NOBODY)))
    with pytest.raises(BadRequest, match="another painter"):
        choose("old.style")
    with pytest.raises(BadRequest, match="another painter"):
        choose("adele:0.5,old.style:0.5")


@pytest.mark.parametrize("content", ["nothing", "words", "short", "strange", "endless"])
def test_what_is_no_code_file_is_refused(files: Path, content: str) -> None:
    path = files / "bad.style"
    tensors = {
        "short": {"code": np.zeros(5, np.float32)},
        "strange": {"code": np.zeros(256, np.float32), "other": np.zeros(5, np.float32)},
        "endless": {"code": np.full(256, np.inf, np.float32)},
    }
    if content in tensors:
        save_file(tensors[content], path)
    else:
        path.write_bytes(b"" if content == "nothing" else b"no code at all, but some words")
    with pytest.raises(BadRequest, match=r"bad\.style is no style code"):
        choose("bad.style")


# -- pictures --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("encoder")
def test_a_picture_is_encoded_and_what_is_wrong_with_it_is_said(files: Path) -> None:
    name = picture(files / "a,b+c.png").name
    found = choose(name)
    assert found.code.values == pytest.approx([0.5] * 256, abs=0.01)
    assert found.code.basis == manifest()["basis"]
    cv2.imwrite(str(files / "small.png"), np.zeros((40, 40, 3), np.uint8))
    notes = choose("adele:0.5,small.png:0.5").notes
    assert [note.startswith("small.png: ") for note in notes] == [True, True]


@pytest.mark.usefixtures("encoder")
def test_an_encoder_for_another_painter_is_refused(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.paint.encoder, "basis_of_shipped", lambda: "another")
    name = picture(files / "painting.png").name
    with pytest.raises(MissingWeights, match="another painter"):
        choose(name)


# -- a job keeps its code --------------------------------------------------------------------------


def begun(folder: Path, style: str) -> WorkFolder:
    """A work folder as a job leaves it."""
    work = WorkFolder(folder / "out.work")
    work.create()
    work.note(Asked(folder / "film.mp4", folder / "out.mp4", "f", Recipe(style=style)))
    keep(chosen(style, work).code, work)
    return work


@pytest.mark.usefixtures("encoder")
def test_a_job_goes_on_without_its_image(files: Path) -> None:
    painting = picture(files / "painting.png")
    work = begun(files, "painting.png")
    first = choose("painting.png").code
    painting.unlink()
    again = chosen("painting.png", work)
    assert again.code == first
    assert "gone" in again.notes[0]
    assert kept("painting.png", work) == first
    with pytest.raises(UnknownStyle, match=r"other\.png"):
        chosen("other.png", work)
    work.remove()
    assert not work.path.exists()


@pytest.mark.usefixtures("encoder")
def test_an_image_that_has_changed_makes_another_job(files: Path) -> None:
    work = begun(files, str(picture(files / "painting.png")))
    before = kept("painting.png", work)
    cv2.imwrite(str(files / "painting.png"), np.full((300, 300, 3), 9, np.uint8))
    assert chosen(str(files / "painting.png"), work).code.digest != before.digest


def test_a_job_that_kept_no_code_is_asked_by_name(tmp_path: Path) -> None:
    assert kept("adele", WorkFolder(tmp_path)) == load_code("adele")
