"""The commands of those who make painters and judge films: ``train``, ``evaluate``, ``export``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from jobs.evaluate_cli import EXAMPLE, evaluate
from jobs.train_cli import train


def add_to(app: typer.Typer) -> None:
    """Make these commands of an app."""
    data = "reelbrush train --data DATA --vgg vgg16.safetensors --run runs/one"
    app.command(epilog=f"Example: {data}")(train)
    app.command(epilog=EXAMPLE)(evaluate)
    app.command(epilog="Example: reelbrush export --onnx painter-S.onnx")(export)


def export(
    onnx: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the model.")],
    size: Annotated[Literal["S", "M"], typer.Option(help="The painter's size.")] = "S",
) -> None:
    """Write the painter as ONNX: picture and a shot's scale and shift in, painted picture out."""
    from jobs.export import export as run

    typer.echo(f"{onnx}: {run(onnx, size=size) / 1e6:.1f} MB, opset 17")
