"""CIRS with a reconstruction: features that also rebuild their segments."""

import torch
from torch.nn import functional

from torch_peers.phases import Phase, trains
from torch_peers.segment_autoencoders import SegmentAutoencoders
from torch_peers.segments import (
    argmax_in_place,
    chosen_error,
    cirs_loss,
    label_cross_entropy,
    pseudo_labels,
    usage_penalty,
)
from torch_peers.unet import UNet


def cirs_plus(images: torch.Tensor, segments: int) -> list[Phase]:
    """Autoencoders' errors, their codes' CIRS loss, pseudo-labels and usage."""
    segmenter = UNet(3, segments).to(memory_format=torch.channels_last)
    autoencoders = SegmentAutoencoders(segments, images[0].numel())

    def loss():
        soft = segmenter(images).softmax(dim=1)
        masks = argmax_in_place(soft)  # (B, K, H, W)
        rebuilt, codes = autoencoders(masks[:, :, None] * images[:, None])
        errors = (images[:, None] - rebuilt).square().mean(dim=2)  # (B, K, H, W)
        return (
            chosen_error(masks, errors)
            + 1e-3 * cirs_loss(functional.normalize(codes, dim=2))
            + 0.3 * label_cross_entropy(soft, pseudo_labels(images, errors))
            + 0.02 * usage_penalty(soft, floor=0.01)
        )

    return [trains(loss, 2e-3, segmenter, autoencoders)]
