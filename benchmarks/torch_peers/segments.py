"""Masks of segments, and losses that several methods share."""

import torch
from torch.nn import functional


def argmax_in_place(soft: torch.Tensor) -> torch.Tensor:
    """Return masks of a softmax `[batch, K, height, width]`, straight through."""
    segments = soft.shape[1]
    hard = functional.one_hot(soft.argmax(dim=1), segments).permute(0, 3, 1, 2)
    return hard + soft - soft.detach()


def cirs_loss(features: torch.Tensor) -> torch.Tensor:
    """Return how segments differ between images, less how they differ from others.

    Args:
        features: `[batch, K, features]`.
    """
    mean = features.mean(dim=0)
    within = (features - mean).square().sum(-1).mean()
    return within - (mean - mean.mean(dim=0)).square().sum()
