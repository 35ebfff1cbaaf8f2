"""A film's static HDR metadata (SMPTE ST 2086, CTA-861.3) to the words of the encoders.

What the film was mastered on and how light it gets at most: numbers that are the same for all of
it, and that a player needs to fit it to its screen. They are copied as they are, even where a
painted frame may be lighter. Nothing here changes a sample.
"""

from dataclasses import dataclass
from fractions import Fraction
from struct import unpack

import av
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as Kind

from pipeline.media.codecs import Codec
from pipeline.media.container import Film

HDR_TRANSFERS = frozenset({16, 18})
"""Code points of PQ and HLG (ITU-T H.273)."""
IN_STREAM: frozenset[Codec] = frozenset({"h264", "hevc", "av1"})
"""Codecs whose encoders write it."""

_MASTERING = "20i2i"
_NEAR = Fraction(1, 2000)
"""Of a unit of chromaticity, or of a cd/m2; AV1 counts 1/65536 and, for the darkest, 1/16384."""
_MOST_CHROMA, _MOST_LIGHT = 50000, 10000
"""Parts of a unit that ST 2086 counts chromaticity and luminance in."""


@dataclass(frozen=True, slots=True)
class StaticMetadata:
    """What a film was mastered on, and how light it gets."""

    chromaticity: tuple[tuple[Fraction, Fraction], ...] = ()
    """(x, y) of red, green, blue and white; none if it is not said"""
    luminance: tuple[Fraction, Fraction] | None = None
    """the display's least and most, in cd/m2"""
    light: tuple[int, int] | None = None
    """the lightest pixel and the lightest frame's mean, in cd/m2"""

    @property
    def known(self) -> bool:
        """Whether anything is said."""
        return bool(self.chromaticity) or self.light is not None

    def alike(self, other: "StaticMetadata") -> bool:
        """Whether another says the same, as far as the fractions of either codec go."""
        if self.light != other.light:
            return False
        mine, others = ((*sum(m.chromaticity, ()), *(m.luminance or ())) for m in (self, other))
        near = (abs(a - b) <= _NEAR for a, b in zip(mine, others, strict=False))
        return len(mine) == len(others) and all(near)


def static_metadata(film: Film) -> StaticMetadata | None:
    """Read it off the film's first picture; None for a film that is not HDR or says nothing."""
    if film.color.transfer not in HDR_TRANSFERS:
        return None
    with av.open(str(film.path), "r", metadata_errors="replace") as source:
        stream = next(one for one in source.streams.video if one.index == film.stream)
        stream.codec_context.thread_count = 1
        frame = next(source.decode(stream), None)
        found = _read(frame) if frame is not None else StaticMetadata()
    return found if found.known else None


def settings_of(metadata: StaticMetadata | None, codec: Codec) -> str:
    """Give the encoder's own settings, each after a colon; "" where there is nothing to say."""
    if metadata is None or codec not in IN_STREAM:
        return ""
    names = {
        "h264": ("mastering-display", "cll"),
        "hevc": ("master-display", "max-cll"),
        "av1": ("mastering-display", "content-light"),
    }[codec]
    said = ":hdr10=1:repeat-headers=1" if codec == "hevc" else ""
    if metadata.chromaticity and metadata.luminance:
        said += f":{names[0]}={_display(metadata, plain=codec == 'av1')}"
    if metadata.light:
        said += f":{names[1]}={metadata.light[0]},{metadata.light[1]}"
    return said


def _display(metadata: StaticMetadata, *, plain: bool) -> str:
    """Write the display in the form that the encoders share, in units or in parts of them."""
    assert metadata.luminance is not None
    units = (1, 1) if plain else (_MOST_CHROMA, _MOST_LIGHT)

    def number(value: Fraction, unit: int) -> str:
        return f"{float(value):.6f}" if plain else str(round(value * unit))

    points = [f"{number(x, units[0])},{number(y, units[0])}" for x, y in metadata.chromaticity]
    red, green, blue, white = points
    least, most = (number(value, units[1]) for value in metadata.luminance)
    return f"G({green})B({blue})R({red})WP({white})L({most},{least})"


def _read(frame: av.VideoFrame) -> StaticMetadata:
    chromaticity: tuple[tuple[Fraction, Fraction], ...] = ()
    luminance: tuple[Fraction, Fraction] | None = None
    light: tuple[int, int] | None = None
    for data in frame.side_data:
        if not isinstance(data, SideData):
            continue
        content = bytes(data)
        if data.type == Kind.MASTERING_DISPLAY_METADATA:
            # AVMasteringDisplayMetadata: ten fractions, then what of them is set
            numbers = unpack(f"={_MASTERING}", content[:88])
            ratios = [
                Fraction(n, d) if d else Fraction(0)
                for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)
            ]
            if numbers[20]:
                chromaticity = tuple(zip(ratios[0:8:2], ratios[1:8:2], strict=True))
            if numbers[21]:
                luminance = (ratios[8], ratios[9])
        elif data.type == Kind.CONTENT_LIGHT_LEVEL:
            light = unpack("=2I", content[:8])
    if not (chromaticity and luminance):  # encoders take both or neither
        chromaticity, luminance = (), None
    return StaticMetadata(chromaticity, luminance, light)
