"""A loss, and what it trains."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn


class Phase(NamedTuple):
    """What one optimizer does.

    Attributes:
        parameters: What is trained.
        loss: Returns a scalar.
        rate: Learning rate of Adam.
    """

    parameters: list[nn.Parameter]
    loss: Callable[[], torch.Tensor]
    rate: float

    def step(self, fused: bool) -> Callable[[], None]:
        """Return a function that takes one step of Adam."""
        options = {"fused": True} if fused else {}
        adam = torch.optim.Adam(self.parameters, lr=self.rate, **options)

        def step() -> None:
            adam.zero_grad()
            self.loss().backward()
            adam.step()

        return step


def trains(loss: Callable[[], torch.Tensor], rate: float, *modules: nn.Module) -> Phase:
    """Return a phase that trains all parameters of some modules."""
    parameters = [p for module in modules for p in module.parameters()]
    return Phase(parameters, loss, rate)
