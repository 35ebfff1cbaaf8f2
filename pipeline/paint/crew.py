"""One training worker among several: what they have to agree on.

Alone, where nobody has set up ``torch.distributed``, each of these does nothing. Beside others,
every worker draws pictures of its own and all take the same step.
"""

import torch
from torch import Tensor, distributed, nn


def rank() -> int:
    """This worker's number among those that train together; 0 alone."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def share_gradients(net: nn.Module) -> None:
    """Give every worker the mean of all workers' gradients."""
    if not distributed.is_initialized():
        return
    for gradient in (weights.grad for weights in net.parameters()):
        if gradient is not None:
            distributed.all_reduce(gradient)
            gradient /= distributed.get_world_size()


def share_mean(values: Tensor) -> Tensor:
    """Give every worker the mean of all workers' values."""
    if not distributed.is_initialized():
        return values
    shared = values.clone()
    distributed.all_reduce(shared)
    return shared / distributed.get_world_size()


def everyone(decision: bool, device: torch.device) -> bool:
    """What worker 0 has decided."""
    if not distributed.is_initialized():
        return decision
    said = torch.tensor(float(decision), device=device)
    distributed.broadcast(said, 0)
    return bool(said.item())


def wait_for_all() -> None:
    """Go on when every worker has come here."""
    if distributed.is_initialized():
        distributed.barrier()
