"""AIR: segments that autoencoders of their own rebuild."""

import torch

from torch_peers.phases import Phase, trains
from torch_peers.segment_autoencoders import SegmentAutoencoders
from torch_peers.segments import argmax_in_place
from torch_peers.unet import UNet


def air(images: torch.Tensor, segments: int) -> list[Phase]:
    """Masked images through autoencoders, masked again without a gradient."""
    segmenter = UNet(3, segments, width=16).to(memory_format=torch.channels_last)
    autoencoders = SegmentAutoencoders(segments, images[0].numel(), dropout=0.4)

    def loss():
        masks = argmax_in_place(segmenter(images).softmax(dim=1))[:, :, None]
        rebuilt, _ = autoencoders(masks * images[:, None])  # (B, K, 3, H, W)
        combined = (masks.detach() * rebuilt).sum(dim=1)
        return (images - combined).square().mean()

    return [trains(loss, 1e-3, segmenter, autoencoders)]
