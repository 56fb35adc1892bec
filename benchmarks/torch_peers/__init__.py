"""The default training steps of some methods, written plainly in PyTorch.

Networks, losses and Adam are those of `configs/` (the learning rate stays; W-Net in RGB
and without its other changes for `fruit`, see `against_torch.SETTINGS`); images are
`channels_last`, and losses as their authors or a reader of the paper would write them.
A term whose weight is 0 is left out. Templates are learned, as after the first 100 of
1,000 steps.
"""

import itertools
from collections.abc import Callable

import torch
from torch.nn import functional

from torch_peers.air import air
from torch_peers.cirs import cirs
from torch_peers.cirs_aligned import cirs_aligned
from torch_peers.cirs_plus import cirs_plus
from torch_peers.iic import iic
from torch_peers.wnet import wnet

# Each maps images `[batch, 3, side, side]` in [0, 1] and K to phases, which take turns.
METHODS = {
    "air": air,
    "cirs": cirs,
    "cirs_aligned": cirs_aligned,
    "cirs_plus": cirs_plus,
    "iic": iic,
    "wnet": wnet,
}


def build(
    method: str, images: torch.Tensor, segments: int, fused: bool = False
) -> tuple[Callable[[], None], int]:
    """Return a function that trains once, and the number of trained parameters.

    Args:
        method: One of `METHODS`.
        images: `[batch, 3, side, side]` float in [0, 1].
        segments: K.
        fused: Whether Adam is PyTorch's fused one, which is not its default.
    """
    phases = METHODS[method](images, segments)
    trained = {id(p): p for phase in phases for p in phase.parameters}
    turns = itertools.cycle(phase.step(fused) for phase in phases)
    count = sum(parameter.numel() for parameter in trained.values())
    return lambda: next(turns)(), count


def images_of(batch: int, side: int) -> torch.Tensor:
    """Return images of noise whose neighbors are equal, as drawn ones have."""
    small = torch.rand(batch, 3, side // 8, side // 8)
    enlarged = functional.interpolate(small, scale_factor=8)
    return enlarged.to(memory_format=torch.channels_last)
