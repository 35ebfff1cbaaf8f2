"""``python -m jobs.train_bare``: a training run with torch alone, for machines without Ray or PyAV.

The same run as ``reelbrush train --backend inline`` makes, from the same folder: either goes on
with what the other began. ``--family`` trains all that ships, one after the other: the painter M,
the painter S on the same codes, the style encoder; ``--minutes`` are shared out among them, and the
same command goes on.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from pipeline.errors import FilmError
from pipeline.paint.schedule import Settings, with_words
from pipeline.paint.training import Progress
from pipeline.paint.workshop import Run, carry_out, teach_encoder


def main(words: list[str] | None = None) -> int:
    """Read the command line, train, and give an exit code."""
    parser = argparse.ArgumentParser(prog="python -m jobs.train_bare", description=__doc__)
    for name in ("data", "vgg", "run", "start", "codes-of"):
        parser.add_argument(f"--{name}", type=Path, required=name in ("data", "run"))
    parser.add_argument("--size", default="S", choices=("S", "M"))
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--with", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--encoder", action="store_true", help="train the style encoder of the run")
    parser.add_argument("--lessons", type=int, default=5000)
    parser.add_argument("--family", action="store_true", help="M, then S, then the encoder")
    parser.add_argument("--rehearse", action="store_true", help="four tiny steps")
    asked = parser.parse_args(words)
    try:
        settings = Settings(size=asked.size, steps=asked.steps, half=True)
        if asked.family and asked.device == "cuda":
            settings = with_words(settings, _GPU)
        settings = with_words(settings, asked.settings)
        settings = settings.quick() if asked.rehearse else settings
        run = Run(
            asked.run, asked.data, asked.vgg, settings, asked.device, asked.threads,
            asked.minutes, asked.start, asked.codes_of,
        )  # fmt: skip
        if asked.family:
            return 0 if _family(run) else 1
        if asked.encoder:
            share = teach_encoder(run, _tell_loss, lessons=asked.lessons, steps=asked.steps)
            _say(f"explains {share:.3f} of how held-out paintings differ")
        else:
            _say("done" if carry_out(run, _tell) else "stopped; the same command goes on")
    except FilmError as error:
        sys.stderr.write(f"reelbrush: {error}\n")
        return error.exit_code
    return 0


_GPU = ("batch=32", "crop=256", "wide_crop=384", "rate=1e-3")
_FAMILY = {"M": 0.55, "S": 0.33}
"""Share of the minutes; the encoder has the rest."""


def _family(run: Run) -> bool:
    """Train M, S and the encoder in folders of their own beneath the run's; True when all is done.

    On a GPU with its batches and crops; on a CPU, where this is of use to rehearse it, with S's.
    """
    folders = {size: run.folder / size for size in _FAMILY}
    for size, share in _FAMILY.items():
        one = replace(
            run,
            folder=folders[size],
            settings=replace(run.settings, size=size),
            minutes=None if run.minutes is None else run.minutes * share,
            codes_of=run.codes_of if size == "M" else folders["M"],
        )
        _say(f"{size}: {one.settings}")
        if not carry_out(one, _tell):
            _say(f"{size}: stopped; the same command goes on")
            return False
    last = replace(run, folder=folders["S"])
    few = run.settings.steps < 100
    share = teach_encoder(last, _tell_loss, lessons=300 if few else 5000, steps=30 if few else 3000)
    _say(f"the encoder explains {share:.3f} of how held-out paintings differ")
    return True


def _tell(progress: Progress) -> None:
    if progress.step % 100 == 0:
        p = progress
        _say(
            f"step {p.step}: content {p.content:.3f}, moments {p.moments:.3f}, gram {p.gram:.3f}, "
            f"consistency {p.consistency:.4f}, {p.seconds:.3f} s"
        )


def _tell_loss(step: int, loss: float) -> None:
    if step % 100 == 0:
        _say(f"step {step}: {loss:.4f}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
