"""IIC: what pixels and their neighbors in a twin tell of each other."""

import torch
from torch import nn
from torch.nn import functional

from torch_peers.phases import Phase, trains
from torch_peers.unet import convolution, enlarged


def iic(images: torch.Tensor, segments: int) -> list[Phase]:
    """Twins through a trunk and one of two heads, in turns; mutual information."""
    width, over, reach = 16, 3, 1
    factors = (1, 2, None, 4, 4, 8, 8)
    layers, channels = [], 3
    for factor in factors:
        if factor is None:
            layers.append(nn.MaxPool2d(2))
        else:
            layers.append(convolution(channels, factor * width))
            channels = factor * width
    trunk = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    heads = [
        nn.Conv2d(channels, outputs, 1).to(memory_format=torch.channels_last)
        for outputs in (over * segments, segments)
    ]

    def twins():
        drawn = 0.4 * torch.rand(len(images), 5, 1, 1) - 0.2
        contrast, brightness, weights = drawn[:, :1], drawn[:, 1:2], drawn[:, 2:]
        changed = (1 + contrast) * (1 + weights) * (images - 0.5) + 0.5 + brightness
        return changed.clamp(0, 1)

    def flipped(values, which):
        return torch.where(which[:, None, None, None], values.flip(3), values)

    def loss_of(head):
        which = torch.rand(len(images)) < 0.5
        first = enlarged(head(trunk(images))).softmax(dim=1)
        second = enlarged(head(trunk(flipped(twins(), which)))).softmax(dim=1)
        second = flipped(second, which)
        # As the authors: (K, K, 2 reach + 1, 2 reach + 1)
        joint = functional.conv2d(
            first.permute(1, 0, 2, 3), second.permute(1, 0, 2, 3), padding=reach
        )
        joint = joint.permute(2, 3, 0, 1)
        joint = joint / joint.sum(dim=(2, 3), keepdim=True)
        joint = ((joint + joint.transpose(2, 3)) / 2).clamp(min=1e-12)
        rows, columns = joint.sum(3, keepdim=True), joint.sum(2, keepdim=True)
        information = joint * (joint.log() - rows.log() - columns.log())
        return -information.sum(dim=(2, 3)).mean()

    return [trains(lambda h=head: loss_of(h), 1e-4, trunk, head) for head in heads]
