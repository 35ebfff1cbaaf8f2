"""Options that several commands share, as their help shows them, and their texts to settings."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from actors.objects import located
from pipeline.errors import BadRequest
from pipeline.media.clock import parse_frames
from pipeline.recipe import Recipe, read_recipe


class Codec(StrEnum):
    """What the painted film is encoded with: ``pipeline.media.codecs.CODECS``."""

    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"
    VP9 = "vp9"
    PRORES = "prores"
    PRORES_4444 = "prores-4444"
    DNXHR = "dnxhr"
    FFV1 = "ffv1"
    H264_NVENC = "h264_nvenc"
    HEVC_NVENC = "hevc_nvenc"


class Backend(StrEnum):
    """Who carries the steps."""

    RAY = "ray"
    INLINE = "inline"


class OnError(StrEnum):
    """What to do about a frame that cannot be decoded."""

    FAIL = "fail"
    HOLD = "hold"


class Interlaced(StrEnum):
    """What to do about a film of fields."""

    DEINTERLACE = "deinterlace"
    REFUSE = "refuse"


class Statistics(StrEnum):
    """What the net's normalisation is measured on."""

    SHOT = "shot"
    FRAME = "frame"


class Size(StrEnum):
    """Of the net."""

    AUTO = "auto"
    S = "S"
    M = "M"


Source = Annotated[
    Path,
    typer.Argument(
        metavar="FILM",
        parser=located,
        help="MP4, MOV, MKV, WebM, MXF, AVI, MPEG-TS or PS, FLV, 3GP or WMV; here or on s3://.",
    ),
]
Overwrite = Annotated[bool, typer.Option(help="Replace a result that exists.")]
_STYLE = (
    "A name that [b]reelbrush styles[/b] lists, a picture, or a code that [b]styles add[/b] made; "
    "mixed by weight: great-wave:0.7,painting.jpg:0.3, or evenly: great-wave+adele."
)
Style = Annotated[str, typer.Option(help=_STYLE)]
Styles = Annotated[
    str | None,
    typer.Option(
        "--style",
        "--styles",
        help=f"{_STYLE} Several styles are separated by commas: adele,great-wave+adele; if each "
        "has a weight, they are one mix. By default starry-night, on a sheet four of the gallery.",
    ),
]
StyleAt = Annotated[
    list[str] | None,
    typer.Option(
        "--style-at",
        metavar="RANGE=STYLE",
        help="Another style for some frames, both ends included: 240-480=adele, by times "
        "10s-20s=adele or by timecodes 01:00:10:00-01:00:20:00=adele. As many as you like. Where "
        "it begins and ends is a cut. What else the range has of its own follows the style: "
        "[b]240-480=adele;structure=0.3;strength=0.5[/b] (and style-scale, keep-color).",
    ),
]
Strength = Annotated[
    str,
    typer.Option(
        metavar="0..1|CURVE",
        help="0 leaves the film, 1 paints it. Over time: 0s:0,2s:1 or 1:30:0,1:32:1 from the "
        "film's start, 0:0,48:1 at frames; with ,smooth at the end it rests at each point.",
    ),
]
KeepColor = Annotated[
    float,
    typer.Option(metavar="0..1", help="1 keeps the film's own colours and paints light only."),
]
Frames = Annotated[str | None, typer.Option(help="Only these, inclusive: 100-250.")]
Keys = Annotated[str, typer.Option(help="auto, or a key every N frames; 1 paints each frame.")]
MaxKeys = Annotated[
    str | None,
    typer.Option(
        metavar="N|PERCENT",
        help="Paint no more frames than so many, or than this share of the film: 15%. They go "
        "where they save most flicker; frames over --flicker-budget are then left as they are. "
        "Painting begins when all of the film has been analysed.",
    ),
]
Given = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="PLACE=PICTURE",
        help="A picture of the film's size that takes the painter's place at a frame, and spreads "
        "from there like any other key: 00:01:12.5=painted.png, 12s=a.png, or a frame's number, "
        "300=b.png. As many as you like. It is final: that frame is your picture as it is, bars "
        "and light included; only --strength and --keep-color are laid over it as over the rest.",
    ),
]
GivenFrom = Annotated[
    Path | None,
    typer.Option(
        "--keys-from",
        metavar="FOLDER",
        help="Pictures named by their frames, 000300.png; the film's first frame is 0.",
    ),
]
CodecOf = Annotated[
    Codec,
    typer.Option(
        "--codec",
        help="h264, hevc or av1 (MP4), vp9 (WebM), prores: 422 HQ, prores-4444 with alpha, dnxhr: "
        "HQX (MOV), ffv1: lossless (MKV); on a GPU that has it h264_nvenc, hevc_nvenc. The suffix "
        "of the painted film chooses another container, among .mp4 .mov .mkv .webm .mxf.",
    ),
]
Crf = Annotated[
    int | None,
    typer.Option(
        help="Quality, 0 lossless: h264 to 51 (usual 16), hevc to 51 (18), av1 to 63 (20), vp9 to "
        "63 (18). The others have one quality."
    ),
]
PixelFormat = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="As FFmpeg's -pix_fmt: yuv420p, yuv422p10le. By default the film's own, or the "
        "nearest of the codec that loses nothing; naming one gives up what it lacks.",
    ),
]
OnErrorOf = Annotated[
    OnError,
    typer.Option(
        "--on-error",
        help="A frame that cannot be decoded: fail, or hold the frame before it, and those that "
        "are built on it, to the next sync frame. Held frames are listed in a warning, in "
        "RESULT.json, in the table and in the report; the exit code is 0. The film is decoded once "
        "more before work starts.",
    ),
]
InterlacedOf = Annotated[
    Interlaced,
    typer.Option(
        "--interlaced",
        help="An interlaced film: make whole pictures of its fields (bwdif), one a frame, and say "
        "so; or refuse it.",
    ),
]
Stream = Annotated[
    int | None,
    typer.Option(
        "--stream",
        metavar="TRACK",
        min=0,
        help="Which track of video, where there are several; [b]reelbrush probe[/b] lists them. "
        "By default the one that the file says is, or the first. The others are left out.",
    ),
]
KeepBars = Annotated[bool, typer.Option(help="Leave letterbox bars as they are.")]
StyleScale = Annotated[
    str,
    typer.Option(
        metavar="LINES|film",
        help="Lines at which the painter works: 360 gives broad strokes, 1080 fine ones, whatever "
        "the film's size; film works at the film's own.",
    ),
]
Scales = Annotated[
    str,
    typer.Option(
        "--style-scale",
        "--scales",
        metavar="LINES|film",
        help="Lines at which the painter works: 360 gives broad strokes, 1080 fine ones; on a "
        "sheet several: 360,540,film.",
    ),
]
Times = Annotated[
    str | None,
    typer.Option(
        help="12s, 1:30 or 00:01:12.5; on a sheet several: 12s,40s. By default the first frame, on "
        "a sheet three that are spread over the film."
    ),
]
Sheet = Annotated[
    bool, typer.Option("--sheet", help="One picture of frames by styles by scales, with names.")
]
Structure = Annotated[
    float,
    typer.Option(
        metavar="0..1",
        help="0 is all painting; 0.5 keeps faces and titles readable.",
    ),
]
StatisticsOf = Annotated[
    Statistics,
    typer.Option(help="Tones are settled once a shot; or frame by frame, with --keys 1."),
]
NetSize = Annotated[
    Size, typer.Option(help="Of the painter: S is made for CPUs, M for GPUs; auto chooses.")
]


def recipe(**settings: object) -> Recipe:
    """Check settings; those that are None were not given.

    Raises:
        BadRequest: In one line.
    """
    return read_recipe({k: v for k, v in settings.items() if v is not None})


def number(text: str) -> object:
    """Read a whole number, or leave the word that stands for one: ``--keys``, ``--style-scale``."""
    return int(text) if text.isascii() and text.isdigit() else text


def several(text: str | None) -> list[str]:
    """Read what commas separate; None is nothing."""
    return [member.strip() for member in (text or "").split(",") if member.strip()]


def scales(text: str) -> list[Literal["film"] | int]:
    """Read one or more of ``--style-scale``.

    Raises:
        BadRequest: If there is none, or one makes no sense.
    """
    found = [recipe(style="any", style_scale=number(one)).style_scale for one in several(text)]
    if not found:
        raise BadRequest("--style-scale names no size")
    return found


def frames(text: str | None) -> tuple[int, int] | None:
    """Read ``--frames``.

    Raises:
        BadRequest: If it is no range.
    """
    return None if text is None else parse_frames(text)
