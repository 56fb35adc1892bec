"""The U-Net, and the layer that all networks of convolutions are made of."""

import torch
from torch import nn
from torch.nn import functional


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Return a 3x3 convolution, batch normalization and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3),
        nn.ReLU(),
    )


def block(inputs: int, outputs: int, dropout: float = 0) -> nn.Sequential:
    """Return the two convolutions of a U-Net's block."""
    layers = []
    for channels in (inputs, outputs):
        layers.append(convolution(channels, outputs))
    if dropout:
        layers.append(nn.Dropout2d(dropout))
    return nn.Sequential(*layers)


def enlarged(x: torch.Tensor) -> torch.Tensor:
    """Return maps of twice the size."""
    return functional.interpolate(
        x, scale_factor=2, mode="bilinear", align_corners=False
    )


class BilinearUpsampling(nn.Conv2d):
    """Maps of twice the size, and a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the maps."""
        return super().forward(enlarged(x))


class TransposedUpsampling(nn.ConvTranspose2d):
    """Maps of twice the size by a transposed convolution."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 2, stride=2)


class UNet(nn.Module):
    """A U-Net whose channels double at every level.

    Args:
        inputs: Channels of the images.
        outputs: Channels of the logits.
        width: Channels of the first block.
        depth: Number of times that the resolution is halved.
        upsampling: Maps input and output channels to a layer.
        dropout: Rate after every block, of whole channels.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int = 8,
        depth: int = 3,
        upsampling: type[nn.Module] = TransposedUpsampling,
        dropout: float = 0,
    ):
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.down, self.up, self.enlarge = (nn.ModuleList() for _ in range(3))
        channels = inputs
        for narrow in widths[:-1]:
            self.down.append(block(channels, narrow, dropout))
            channels = narrow
        self.bottom = block(channels, widths[-1], dropout)
        for narrow in reversed(widths[:-1]):
            self.enlarge.append(upsampling(2 * narrow, narrow))
            self.up.append(block(2 * narrow, narrow, dropout))
        self.logits = nn.Conv2d(width, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for enlarge, up in zip(self.enlarge, self.up, strict=True):
            x = up(torch.cat([enlarge(x), skips.pop()], dim=1))
        return self.logits(x)
