"""The command ``reelbrush batch`` with the light painter: ``python -m jobs.light_batch JOB.yaml``.

All of it is the command's own, but for who paints: benchmarks of what becomes of films when
machines die need no net.
"""

import sys
from functools import partial

from jobs import batch, cli
from jobs.light import HireLight


def main(words: list[str]) -> None:
    """Run the command; ends this process."""
    setattr(batch, "How", partial(batch.How, hire=HireLight()))  # noqa: B010 (a type is no variable)
    sys.argv = ["reelbrush", "batch", *words]
    cli.main()


if __name__ == "__main__":
    main(sys.argv[1:])
