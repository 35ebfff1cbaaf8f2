"""A painter in training to files: its weights as they ship, and a sheet to judge it by eye."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from pipeline.paint.networks import Painter, mirrored
from pipeline.paint.pictures import Picture


def save_weights(net: Painter, path: Path) -> None:
    """Write a painter's weights as float16 safetensors (computing stays in float32).

    What float16 has no room for is written as float32.
    """
    part = path.with_suffix(".part")
    halves = {k: (v, v.half()) for k, v in net.state_dict().items()}
    kept = {k: half if half.isfinite().all() else v for k, (v, half) in halves.items()}
    save_file({k: v.contiguous() for k, v in kept.items()}, part)
    part.replace(path)


@torch.no_grad()
def draw_sheet(net: Painter, codes: Tensor, samples: Sequence[Picture], path: Path) -> None:
    """Paint samples with codes [N, 256] into one picture: a row a sample, the photo first.

    Samples are cropped to the size that all of them have, a multiple of 4.
    """
    net.eval()
    height = min(s.shape[0] for s in samples) // 4 * 4
    width = min(s.shape[1] for s in samples) // 4 * 4
    device, apron = next(net.parameters()).device, net.size.apron
    rows = []
    for sample in samples:
        x = torch.from_numpy(sample[:height, :width].copy()).permute(2, 0, 1)[None].float() / 255
        padded = mirrored(x, top=apron, bottom=apron, left=apron, right=apron).to(device)
        tiles = [x[0], *(net(padded, code[None].to(device))[0][0].cpu() for code in codes)]
        rows.append(torch.cat(tiles, dim=2))
    sheet = torch.cat(rows, dim=1).permute(1, 2, 0).mul(255).round().byte().numpy()
    cv2.imwrite(str(path), np.ascontiguousarray(sheet[..., ::-1]))
