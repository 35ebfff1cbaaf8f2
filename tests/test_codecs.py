"""Codecs: whatever a film is written with, its segments join to every frame at its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest

from films import make_film, number_of, numbered, texture
from pipeline.errors import BadRequest
from pipeline.media import samples
from pipeline.media.assemble import assemble
from pipeline.media.codecs import (
    CODECS,
    SUFFIXES,
    Codec,
    Container,
    coder,
    container_of,
    usual_suffix,
)
from pipeline.media.color import Planes
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.media.encode import Encoding, Segment, choose_encoding, write_segment

N = 12
SEAMS = [0, 1, 7, 8, N]
RATE = Fraction(24000, 1001)
SOFTWARE = [codec for codec in CODECS if "nvenc" not in codec]
ENDINGS = {muxer: suffix for suffix, muxer in reversed(list(SUFFIXES.items()))}
PAIRS = [(codec, ENDINGS[muxer]) for codec in SOFTWARE for muxer in coder(codec).containers]
TAGS = {"h264": "avc1", "hevc": "hvc1", "prores": "apch", "prores-4444": "ap4h", "dnxhr": "AVdh"}


@dataclass(frozen=True)
class Seen:
    """What a player gets of a film's picture."""

    codec: str
    tag: str
    format: str
    pts: list[Fraction]
    pictures: list[Planes]


def seen(path: Path) -> Seen:
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        stream.codec_context.thread_count = 1
        pictures = list(source.decode(stream))
        base = stream.time_base or Fraction(0)
        return Seen(
            stream.codec_context.codec.canonical_name,
            stream.codec_context.codec_tag,
            pictures[0].format.name,
            [(picture.pts or 0) * base for picture in pictures],
            [samples.planes_of(picture) for picture in pictures],
        )


def same(a: Planes, b: Planes) -> bool:
    pairs = [(a.luma, b.luma), (a.blue, b.blue), (a.red, b.red)]
    if a.alpha is not None and b.alpha is not None:
        pairs.append((a.alpha, b.alpha))
    alike = (a.alpha is None) == (b.alpha is None)
    return alike and all(np.array_equal(one, other) for one, other in pairs)


def film_of(folder: Path, codec: Codec, **how: object) -> Film:
    size = (256, 120) if codec == "dnxhr" else (128, 72)
    path = folder / "source.mp4"
    given = {"rate": RATE, "bframes": 2, **how}
    return read_film(make_film(path, numbered(texture(N, size)), **given))  # type: ignore[arg-type]


def written(
    film: Film, folder: Path, encoding: Encoding, seams: Sequence[int] = SEAMS
) -> list[Segment]:
    return [
        write_segment(
            frames(film, start, stop),
            film=film,
            encoding=encoding,
            path=folder / f"{start}-{stop}{encoding.suffix}",
        )
        for start, stop in pairwise(seams)
    ]


def joined(film: Film, folder: Path, codec: Codec, suffix: str) -> tuple[Path, list[Segment]]:
    target = folder / f"made{suffix}"
    encoding, _ = choose_encoding(film, codec=codec, target=target)
    segments = written(film, folder, encoding)
    stop = segments[-1].stop
    assemble(film, segments, target=target, encoding=encoding, start=0, stop=stop)
    return target, segments


@pytest.mark.parametrize(("codec", "suffix"), PAIRS)
def test_concat_frame_exact(tmp_path: Path, codec: Codec, suffix: str) -> None:
    film = film_of(tmp_path, codec)
    target, segments = joined(film, tmp_path, codec, suffix)
    made = seen(target)
    parts = [picture for segment in segments for picture in seen(segment.path).pictures]
    assert len(made.pictures) == len(parts) == N
    assert all(same(a, b) for a, b in zip(made.pictures, parts, strict=True))
    depth = made.pictures[0].depth - 8
    assert [number_of((p.luma >> depth).astype(np.uint8)) for p in made.pictures] == [*range(N)]
    tick = Fraction(1, 1000) if suffix in {".mkv", ".webm"} else Fraction(0)
    assert all(abs(time - i / RATE) <= tick / 2 for i, time in enumerate(made.pts))
    assert made.pts[0] == 0
    if suffix in {".mp4", ".mov"} and codec in TAGS:
        assert made.tag == TAGS[codec]


def test_the_tested_pairs_are_all_there_are() -> None:
    assert {pair[1] for pair in PAIRS} == {".mp4", ".mov", ".mkv", ".webm", ".mxf"}
    assert [usual_suffix(codec) for codec in SOFTWARE] == [
        ".mp4",
        ".mp4",
        ".mp4",
        ".webm",
        ".mov",
        ".mov",
        ".mov",
        ".mkv",
    ]
    for codec in CODECS:
        for suffix, muxer in SUFFIXES.items():
            if muxer in coder(codec).containers:
                assert container_of(codec, suffix) == muxer
            else:
                with pytest.raises(BadRequest, match=f"{codec} does not go into {suffix}: name"):
                    container_of(codec, suffix)
    assert set(SUFFIXES.values()) == set(get_args(Container))
