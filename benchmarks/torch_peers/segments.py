"""Masks of segments, and losses that several methods share."""

import math

import torch
from torch.nn import functional

REACH, SPREAD = 2, 0.7


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


def usage_penalty(soft: torch.Tensor, floor: float) -> torch.Tensor:
    """Return by how much segments fall short of a share of the pixels."""
    return (floor - soft.mean(dim=(0, 2, 3))).relu().sum() / floor


def chosen_error(masks: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """Return the mean error in the segments that hold the pixels."""
    return (masks * errors).sum(dim=1).mean()


def label_cross_entropy(soft: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of a softmax with labels `[batch, height, width]`."""
    return -torch.log(soft.gather(1, labels[:, None]) + 1e-6).mean()


@torch.no_grad()
def pseudo_labels(images: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """Return the segments of least error, border pixels settled by color.

    Args:
        images: `[batch, 3, height, width]`.
        errors: `[batch, K, height, width]`.
    """
    segments = errors.shape[1]
    labels = errors.argmin(dim=1)
    masks = functional.one_hot(labels, segments).permute(0, 3, 1, 2).to(images)
    inside = 1 - functional.max_pool2d(1 - masks, 3, 1, 1)
    weighted = inside[:, :, None] * images[:, None]  # (B, K, 3, H, W)
    sums = _gaussian_sums(torch.cat([inside, weighted.flatten(1, 2)], dim=1))
    weight = sums[:, :segments]
    colors = sums[:, segments:].unflatten(1, (segments, 3))
    colors = colors / weight.clamp(min=1e-9)[:, :, None]
    distance = (images[:, None] - colors).square().sum(dim=2)  # (B, K, H, W)
    known = weight > 1e-9
    nearest = distance.masked_fill(~known, torch.inf).argmin(dim=1)
    decided = (inside > 0.5).any(dim=1)
    own = ((masks > 0.5) & known).any(dim=1)
    return torch.where(own & ~decided, nearest, labels)


def _gaussian_sums(maps: torch.Tensor) -> torch.Tensor:
    """Return sums over 5x5 neighborhoods, channel by channel."""
    channels = maps.shape[1]
    line = [math.exp(-(d**2) / (2 * SPREAD**2)) for d in range(-REACH, REACH + 1)]
    weights = maps.new_tensor(line).expand(channels, 1, 1, -1)
    rows = functional.conv2d(maps, weights, padding=(0, REACH), groups=channels)
    columns = weights.transpose(2, 3)
    return functional.conv2d(rows, columns, padding=(REACH, 0), groups=channels)
