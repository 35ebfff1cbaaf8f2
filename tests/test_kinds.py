"""Films of every container through a whole run: painted, verified, with their sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from films import Sound, make_film, number_of, numbered, texture
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Identity
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.recipe import Recipe

N = 10


class _Told(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


def _through(source: Path, target: Path, **recipe: object) -> tuple[Film, list[str]]:
    told, codec = _Told(), "h264" if target.suffix == ".mp4" else "ffv1"
    asked = Recipe.model_validate({"style": "made", "codec": codec, **recipe})
    stylize(Job(source, target, asked), progress=told, hire=Identity)
    return read_film(target), told.notes


@pytest.mark.parametrize(
    ("suffix", "codec", "sound"),
    [
        (".ts", "libx264", "mp2"),
        (".avi", "mpeg4", "pcm_s16le"),
        (".flv", "libx264", "aac"),
        (".mxf", "mpeg2video", "pcm_s16le"),
        (".vob", "mpeg2video", "mp2"),
    ],
)
def test_a_film_of_any_container_goes_through_with_its_sound(
    tmp_path: Path, suffix: str, codec: str, sound: str
) -> None:
    source = make_film(
        tmp_path / f"film{suffix}", numbered(texture(N)), codec=codec, sounds=[Sound(sound)]
    )
    film = read_film(source)
    made, _ = _through(source, tmp_path / "made.mkv")
    shown = [number_of(frame.planes.luma.astype(np.uint8)) for frame in frames(made, 0, N)]
    assert shown == list(range(N))
    assert [t.kind for t in made.tracks] == ["audio"]
    for ours, theirs in zip(made.pts, film.pts, strict=True):
        assert abs(int(ours) * made.time_base - int(theirs) * film.time_base) <= Fraction(1, 1000)


def test_a_mirrored_film_stays_as_it_is_stored_and_as_it_is_seen(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "film.mp4", numbered(texture(N)), rotation=90, mirrored=True, crf=1
    )
    made, _ = _through(source, tmp_path / "made.mp4", crf=1)
    film = read_film(source)
    assert (made.rotation, made.mirrored) == (90, True)
    for a, b in zip(frames(film, 0, N), frames(made, 0, N), strict=True):
        assert np.abs(a.planes.luma.astype(int) - b.planes.luma).mean() < 3


def test_fields_are_made_whole_with_a_word(tmp_path: Path) -> None:
    source = make_film(tmp_path / "film.mp4", numbered(texture(N)), interlaced=True)
    made, notes = _through(source, tmp_path / "made.mkv")
    assert (made.fields, made.frames) == ("", N)
    assert any(note.startswith("interlaced") for note in notes)


def test_the_track_that_is_named_is_painted_and_the_others_are_left_out(tmp_path: Path) -> None:
    source = tmp_path / "film.mkv"
    with av.open(str(source), "w") as container:
        streams = [container.add_stream("ffv1", 25) for _ in range(2)]
        for stream, width in zip(streams, (160, 128), strict=True):
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, 96, "yuv420p"
        for i, picture in enumerate(numbered(texture(4))):
            for stream, width in zip(streams, (160, 128), strict=True):
                part = np.ascontiguousarray(picture[:, :width])
                frame = av.VideoFrame.from_ndarray(part, "rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = i, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    made, notes = _through(source, tmp_path / "made.mkv", stream=1)
    assert (made.width, made.frames, made.tracks) == (128, 4, ())
    assert any("track 1 is painted; left out: track 0 (ffv1 160x96)" in note for note in notes)
