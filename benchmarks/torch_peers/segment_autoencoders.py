"""K dense networks side by side, one for each segment."""

import torch
from torch import nn


class SegmentLinear(nn.Module):
    """A dense layer for each segment: `[batch, K, inputs]` to `[batch, K, outputs]`."""

    def __init__(self, segments: int, inputs: int, outputs: int, bias: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(segments, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(segments, outputs)) if bias else 0
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs."""
        return torch.einsum("bki,kio->bko", x, self.weight) + self.bias


class SegmentAutoencoders(nn.Module):
    """Dense encoders and decoders; widths are totals over the K autoencoders.

    Args:
        segments: K.
        values: Values of an image.
        dropout: Rate after every hidden layer.
    """

    def __init__(self, segments: int, values: int, dropout: float = 0):
        super().__init__()
        wide, narrow, code = (-(-total // segments) for total in (512, 128, 32))
        self.encoder = nn.Sequential(
            _hidden(segments, values, wide, dropout),
            _hidden(segments, wide, narrow, dropout),
            SegmentLinear(segments, narrow, code),
        )
        self.decoder = nn.Sequential(
            _hidden(segments, code, narrow, dropout),
            _hidden(segments, narrow, wide, dropout),
            SegmentLinear(segments, wide, values),
            nn.Sigmoid(),
        )

    def forward(self, masked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return rebuilt images and codes of images `[batch, K, 3, height, width]`."""
        codes = self.encoder(masked.flatten(2))  # (B, K, F)
        return self.decoder(codes).view(masked.shape), codes


def _hidden(segments: int, inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    layers = [
        SegmentLinear(segments, inputs, outputs, bias=False),
        nn.Flatten(),
        nn.BatchNorm1d(segments * outputs, eps=1e-3),
        nn.ReLU(),
        nn.Unflatten(1, (segments, outputs)),
    ]
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)
