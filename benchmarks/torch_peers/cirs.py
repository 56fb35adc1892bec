"""CIRS with color words: four heads on one U-Net."""

import torch
from torch import nn
from torch.nn import functional

from torch_peers.phases import Phase, trains
from torch_peers.segments import argmax_in_place, cirs_loss
from torch_peers.unet import BilinearUpsampling, UNet

WORDS, LEVELS = 128, 32


def cirs(images: torch.Tensor, segments: int) -> list[Phase]:
    """Four heads, normalized logits, Gumbel noise, argmax-in-place, color words."""
    heads, scale, dimensions = 4, 8.0, segments - 1
    network = nn.Sequential(
        UNet(3, heads * segments, depth=2, upsampling=BilinearUpsampling),
        nn.BatchNorm2d(heads * segments, eps=1e-3, affine=False),
    ).to(memory_format=torch.channels_last)
    table = torch.randint(0, WORDS, (LEVELS**3,))
    vectors = torch.randn(WORDS, dimensions)

    def pixel_vectors():
        levels = ((images * 255).round().long() * LEVELS // 256).clamp(0, LEVELS - 1)
        red, green, blue = levels.unbind(1)
        found = vectors[table[(red * LEVELS + green) * LEVELS + blue]]
        found = found.permute(0, 3, 1, 2)
        mean = functional.avg_pool2d(found, 3, 1, 1, count_include_pad=False)
        return ((found + mean) / 2).flatten(2).transpose(1, 2)  # (B, HW, D)

    def loss_of(logits, pixels):
        soft = logits.softmax(dim=1)
        masks = argmax_in_place(soft).flatten(2)  # (B, K, HW)
        pooled = masks @ pixels / masks.shape[2]
        features = pooled / masks.mean(dim=2, keepdim=True).clamp(min=0.01) ** 0.5
        squared = features.square().sum(-1, keepdim=True)
        return cirs_loss(features / (squared + 1).sqrt())

    def loss():
        logits = scale * network(images)
        noise = -torch.log(-torch.log(torch.rand_like(logits).clamp(min=1e-7)))
        pixels = pixel_vectors()
        parts = (logits + noise).split(segments, dim=1)
        return sum(loss_of(part, pixels) for part in parts)

    return [trains(loss, 4e-3, network)]
