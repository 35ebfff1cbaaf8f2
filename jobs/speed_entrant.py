"""One way to paint, for ``reelbrush bench speed``: a process that paints once a line it is given.

Started with its name, the picture's width and height, and threads. Each line on stdin is answered
by one JSON line: seconds, what it paints with, and the process' peak memory. What is timed is u8
RGB in, u8 RGB out, with the conversions; a name that ends in ``measure`` times measuring four
pictures. Libraries are imported here only, so that entrants share no threads.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.paint.layers import Array
from pipeline.paint.runtime import Net, read_weights
from pipeline.paint.sizes import SIZES, Size
from pipeline.paint.styles import gallery, load_code
from pipeline.paint.stylize import Brush, brush, measure, paint, painter_file

Picture = NDArray[np.uint8]
OURS = (
    "openvino",
    "openvino, any shape",
    "openvino, folded",
    "openvino, bf16",
    "torch",
    "torch, compiled",
    "onnxruntime",
    "openvino, measure",
    "torch, measure",
)
_SAMPLES = 4


def made_picture(width: int, height: int, *, seed: int = 0) -> Picture:
    """Make a picture with large forms and fine grain: [H, W, 3]."""
    random = np.random.default_rng(seed)
    forms = random.random((max(2, height // 60), max(2, width // 60), 3), np.float32)
    large = cv2.resize(forms, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = random.normal(scale=0.02, size=large.shape)
    return np.asarray(np.clip(np.rint(255 * (large + grain)), 0, 255), np.uint8)


def net_of(name: str, *, threads: int, affine: Array | None = None) -> Net:
    """Load the net of an entrant; ``affine`` is folded into it where its name says so."""
    if name not in OURS:
        raise ValueError(f"no entrant {name!r}")
    path, _ = painter_file("S")
    weights, size = read_weights(path), SIZES["S"]
    library, _, variant = name.partition(", ")
    if library == "torch":
        from pipeline.paint.runtime_torch import TorchNet

        return TorchNet(weights, size, threads=threads, compiled=variant == "compiled")
    if library == "onnxruntime":
        from pipeline.paint.onnx_graph import painting_model

        return _OnnxNet(painting_model(weights, size, facts={}), size, threads=threads)
    from pipeline.paint.runtime_openvino import OpenvinoNet

    return OpenvinoNet(
        weights,
        size,
        threads=threads,
        precision="bf16" if variant == "bf16" else "f32",
        folded=affine if variant == "folded" else None,
        fitted=variant != "any shape",
    )


class _OnnxNet:
    """The exported model in ONNX Runtime."""

    def __init__(self, model: bytes, size: Size, *, threads: int) -> None:
        import onnxruntime

        self.size = size
        self.identity = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )

    def measure(self, x: Array, codes: Array) -> Array:
        """Refuse: the exported model only paints."""
        raise NotImplementedError

    def paint(self, x: Array, affine: Array) -> Array:
        """Paint with one affine [2, C]."""
        given = {"picture": np.ascontiguousarray(x), "affine": affine}
        return np.asarray(self._session.run(["painted"], given)[0], np.float32)


def task_of(
    name: str, *, width: int, height: int, threads: int
) -> tuple[Callable[[], object], str]:
    """Prepare what an entrant does once a line, and say what it does it with."""
    code = load_code(gallery()[0].name)
    pictures = [made_picture(width, height, seed=seed) for seed in range(_SAMPLES)]
    affine = _affine(pictures[0], name, threads=threads)
    net = net_of(name, threads=threads, affine=affine)
    held = brush(net, code, weights="")

    if name.endswith("measure"):
        return (lambda: measure(held, [_floats(p) for p in pictures])), net.identity
    return (lambda: painted(held, pictures[0], affine)), net.identity


def painted(held: Brush, picture: Picture, affine: Array) -> Picture:
    """U8 RGB to painted u8 RGB."""
    return np.asarray(
        cv2.convertScaleAbs(paint(held, _floats(picture), affine), alpha=255), np.uint8
    )


def _affine(picture: Picture, name: str, *, threads: int) -> Array:
    """Measure a small part of a picture, in the entrant's own library where it has one."""
    library = "torch" if name.startswith("torch") else "openvino"
    net = net_of(library, threads=threads)
    held = brush(net, load_code(gallery()[0].name), weights="")
    return measure(held, [_floats(picture[:256, :256])])


def _floats(picture: Picture) -> Array:
    return np.multiply(picture, np.float32(1 / 255), dtype=np.float32)


def main() -> None:
    """Prepare, paint once to warm up, then answer lines."""
    name, width, height, threads = sys.argv[1], *map(int, sys.argv[2:5])
    cv2.setNumThreads(threads)
    task, identity = task_of(name, width=width, height=height, threads=threads)
    task()
    for _ in sys.stdin:
        began = time.perf_counter()
        task()
        spent = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        answer = {"seconds": spent, "with": identity, "peak_bytes": peak}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
