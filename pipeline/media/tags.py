"""A film's tags to those that it is written with, where its own have no place.

Two code points may mean the same (ITU-T H.273): MXF has one name for both, and gets that. What is
not said is said by what it was taken for, where a container or codec would say it otherwise. What
would come back as something else is refused. Each rule stands for a pair that was tried.
"""

from dataclasses import astuple, replace

from pipeline.errors import BadRequest
from pipeline.media.codecs import Codec, Container, coder
from pipeline.media.color import UNSPECIFIED, ColorTags, resolved
from pipeline.media.container import Film
from pipeline.media.samples import PIXEL_FORMATS

_KIN = ({7: 6}, {6: 1, 15: 14}, {6: 5})
"""Primaries, transfer and matrix that MXF knows under another number."""
_STRANGERS = ({4, 8, 22}, {5, 9, 10, 13}, {4})
"""Those that it does not know."""
_NAMES = ("primaries", "transfer", "matrix")
_EBU_3213 = 22


def choose_color(
    film: Film, codec: Codec, container: Container, pixel_format: str
) -> tuple[ColorTags | None, list[str]]:
    """Say what the written samples mean; None is what the film's own mean.

    Raises:
        BadRequest: If the codec or the container has no word for that.
    """
    color, notes = _of_samples(film, codec, pixel_format), []
    if codec in {"hevc", "hevc_nvenc"} and color.primaries == _EBU_3213:
        raise BadRequest(f"{codec} has no word for primaries {_EBU_3213}; --codec h264 has")
    said = (color.primaries, color.transfer, color.matrix)
    gaps = [tag == UNSPECIFIED for tag in said]
    # these have no words of their own beside the container's
    told = coder(codec).stream in {"prores", "dnxhd"}
    mute = codec == "dnxhr" and gaps[2]
    if told and (mute or (container == "mov" and any(gaps) and not all(gaps))):
        color = replace(resolved(color, film.height), full_range=color.full_range)
        name = "/".join(str(tag) for tag in astuple(color)[:3])
        notes = [f"the film does not say its colours; it is written with {name}, as it is taken"]
    if container == "mxf":
        color = _in_mxf(color)
    return (None if color == film.color else color), notes


def _of_samples(film: Film, codec: Codec, pixel_format: str) -> ColorTags:
    own, other = PIXEL_FORMATS[film.pixel_format].model, PIXEL_FORMATS[pixel_format].model
    if own == "rgb" == other:
        return film.color
    known, full = resolved(film.color, film.height), not coder(codec).narrow
    if own == "rgb":
        return replace(film.color, matrix=known.matrix, full_range=full)
    return film.color if full else replace(film.color, full_range=False)


def _in_mxf(color: ColorTags) -> ColorTags:
    tags = (color.primaries, color.transfer, color.matrix)
    for name, tag, strangers in zip(_NAMES, tags, _STRANGERS, strict=True):
        if tag in strangers:
            raise BadRequest(f"MXF has no word for {name} {tag}: name the film .mov or .mkv")
    first, curve, matrix = (kin.get(tag, tag) for kin, tag in zip(_KIN, tags, strict=True))
    return ColorTags(first, curve, matrix, full_range=color.full_range)
