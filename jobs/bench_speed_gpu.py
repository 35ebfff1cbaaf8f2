"""Batches of pictures to frames a second on a GPU, u8 on the host to u8 on the host.

Needs torch, NumPy and safetensors only: ``python -m jobs.bench_speed_gpu`` runs where the rest is
not installed, and prints what ``reelbrush bench speed --device cuda`` stores.
"""

import json
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch

from pipeline.errors import MissingWeights
from pipeline.paint.layers import Array, Weights
from pipeline.paint.runtime import read_weights
from pipeline.paint.runtime_cuda import BatchPainter
from pipeline.paint.runtime_torch import TorchNet
from pipeline.paint.sizes import SIZES
from pipeline.paint.styles import WEIGHTS, gallery, load_code

_BATCHES = (1, 4, 8, 16)


def bench(
    *, size: tuple[int, int], device: str, rounds: int, batches: Sequence[int] = _BATCHES
) -> dict[str, object]:
    """Paint batches of pictures from different shots.

    Args:
        size: (W, H) of the pictures.
        device: as torch calls it.
        rounds: batches that are timed; the median counts.
        batches: pictures in a batch.
    """
    rows = []
    for name in SIZES:
        try:
            weights = read_weights(WEIGHTS / f"painter-{name}.safetensors")
        except FileNotFoundError:
            continue
        rows += [_row(weights, name, (count, *size[::-1]), device, rounds) for count in batches]
    if not rows:
        raise MissingWeights(f"there are no trained weights in {WEIGHTS}")
    where = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return {"device": where, "torch": torch.__version__, "picture": list(size), "rows": rows}


def _row(
    weights: Weights, name: str, batch: tuple[int, int, int], device: str, rounds: int
) -> dict[str, object]:
    """Frames a second of one size of painter and batch, and how far bfloat16 is from float32."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (*batch, 3), np.uint8)
    net = TorchNet(weights, SIZES[name], device=device)
    code = np.asarray(load_code(gallery()[0].name).values, np.float32)
    codes = np.tile(code, (len(net.size.modulations), 1))
    sample = _padded(pictures[:1, :256, :256], net.size.apron)
    affine = net.measure(sample, codes)
    painter = BatchPainter(weights, SIZES[name], batch=batch, device=device)
    many = np.tile(affine, (batch[0], 1, 1))
    painter.paint(pictures, many)
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        painted = painter.paint(pictures, many)
        spent.append(time.perf_counter() - began)
    exact = 255 * net.paint(_padded(pictures[:1], net.size.apron), affine)[0]
    height, width = batch[1:]
    away = painted[0].transpose(2, 0, 1) - exact[:, :height, :width]
    return {
        "size": name,
        "batch": batch[0],
        "frames_per_second": round(batch[0] / float(np.median(spent)), 1),
        "codes_rms_from_float32": round(float(np.sqrt(np.square(away).mean())), 3),
    }


def _padded(pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], apron: int) -> Array:
    """[1, H, W, 3] u8 to [1, 3, H + 2 apron, W + 2 apron] as the net takes it."""
    tall, wide = (-side % 4 for side in pictures.shape[1:3])
    edges = ((0, 0), (apron, apron + tall), (apron, apron + wide), (0, 0))
    x = np.pad(pictures, edges, mode="reflect").transpose(0, 3, 1, 2)
    return np.multiply(x, np.float32(1 / 255), dtype=np.float32)


if __name__ == "__main__":
    found = bench(size=(1920, 1080), device="cuda", rounds=20)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
