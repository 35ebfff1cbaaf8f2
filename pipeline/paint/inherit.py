"""An earlier painter to the first weights of a new one.

Convolutions are taken as they are. The heads that turn a code into gains and biases spoke another
code: they are fitted anew, so that the works that both know get the gains and biases that they had.
Where both speak the same codes, the heads are taken as they are, too. What the earlier painter
painted stays the same through levelling (``level``), which lets the new one learn faster.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from pipeline.paint.level import level_filters, level_gains
from pipeline.paint.networks import Painter

_RIDGE = 0.1


@torch.no_grad()
def inherit(net: Painter, older: Painter, pairs: Mapping[str, tuple[Tensor, Tensor]]) -> None:
    """Give ``net`` the weights of an older painter of its size.

    Args:
        net: changed in place.
        older: speaks the older codes.
        pairs: by work, its older code [256] and its new one [256].

    Raises:
        ValueError: If no work is known to both.
    """
    if not pairs:
        raise ValueError("an earlier painter is of use only with a work that it was trained on")
    net.load_state_dict(older.state_dict())
    before = torch.stack([a for a, _ in pairs.values()])
    now = torch.stack([b for _, b in pairs.values()]).double()
    if not torch.allclose(before.double(), now, atol=1e-4):
        _fit_heads(net, older, before, now)
    level_gains(net)
    level_filters(net)


def _fit_heads(net: Painter, older: Painter, before: Tensor, now: Tensor) -> None:
    gram = now @ now.T
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(now), dtype=gram.dtype)
    solve = torch.linalg.solve(gram, now)  # [works, 256]
    for mine, theirs in zip(net.heads(), older.heads(), strict=True):
        wanted = theirs.affine(before).double()
        centre = wanted.mean(0)
        mine.affine.weight.copy_((wanted - centre).T @ solve)
        mine.affine.bias.copy_(centre)
