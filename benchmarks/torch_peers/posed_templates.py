"""Templates, and networks that estimate where they are in an image."""

import math

import torch
from torch import nn
from torch.nn import functional

from torch_peers.segment_autoencoders import SegmentLinear

SPEED = 10.0
POSE_INPUT = 32


class Templates(nn.Module):
    """A background `[3, side, side]`, and K - 1 templates of color and support."""

    def __init__(self, objects: int, side: int, canvas: int):
        super().__init__()
        self.side, self.canvas = side, canvas
        shape = (objects, canvas, canvas)
        self.background = nn.Parameter(torch.rand(3, side, side) / SPEED)
        self.colors = nn.Parameter(torch.rand(objects, 3, canvas, canvas) / SPEED)
        self.support = nn.Parameter(3 * torch.randn(shape).sign() / SPEED)

    def forward(self, poses: torch.Tensor) -> torch.Tensor:
        """Return templates `[batch, K - 1, 4, side, side]` at poses.

        Args:
            poses: `[batch, K - 1, 4]`: center in pixels, cosine and sine.
        """
        support = (SPEED * self.support).sigmoid()
        templates = torch.cat([SPEED * self.colors, support[:, None]], dim=1)
        offset = ((self.side - 1) / 2 - poses[..., :2]) * 2 / self.canvas
        cosine, sine = functional.normalize(poses[..., 2:], dim=-1).unbind(-1)
        turn = torch.stack([cosine, sine, -sine, cosine], dim=-1)
        turn = turn.unflatten(-1, (2, 2))  # (B, K - 1, 2, 2)
        zoom = self.side / self.canvas
        theta = torch.cat([zoom * turn, turn @ offset[..., None]], dim=-1)
        repeated = templates.expand(len(poses), -1, -1, -1, -1)
        return sample(repeated, theta, self.side, align_corners=False)

    @torch.no_grad()
    def at_random(self, batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return images of templates at random poses, in part hidden.

        Returns:
            `[batch, K - 1, 3, side, side]`, masks `[batch, K - 1, side, side]`, poses.
        """
        drawn = torch.rand(batch, len(self.colors), 5)
        centers = drawn[..., :2] * (self.side - 1)
        turn, direction = (2 * math.pi * drawn[..., 2:4]).unbind(-1)
        directions = torch.stack([turn.cos(), turn.sin()], dim=-1)
        poses = torch.cat([centers, directions], dim=-1)
        rendered = self(poses)
        x, y, limit, direction = (
            value[..., None, None]
            for value in (*centers.unbind(-1), drawn[..., 4], direction)
        )
        columns = torch.arange(self.side) - x
        rows = torch.arange(self.side)[:, None] - y
        across = columns * direction.cos() + rows * direction.sin()
        shown = across < limit * self.canvas / 2
        masks = (rendered[:, :, 3] > 0.5) & shown
        return rendered[:, :, :3], masks.to(rendered), poses


def sample(
    images: torch.Tensor, theta: torch.Tensor, side: int, align_corners: bool
) -> torch.Tensor:
    """Return affine views `[batch, objects, channels, side, side]` of images.

    Args:
        images: `[batch, objects, channels, height, width]`.
        theta: `[batch, objects, 2, 3]`.
        side: Height and width of the views.
        align_corners: As in PyTorch.
    """
    flat = images.flatten(0, 1)
    size = [*flat.shape[:2], side, side]
    grid = functional.affine_grid(theta.flatten(0, 1), size, align_corners)
    views = functional.grid_sample(flat, grid, align_corners=align_corners)
    return views.unflatten(0, images.shape[:2])


@torch.no_grad()
def crops(
    images: torch.Tensor, masks: torch.Tensor, canvas: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return centers of masks, and what lies around them.

    Args:
        images: `[batch, K - 1 or 1, 3, side, side]`.
        masks: `[batch, K - 1, side, side]`.
        canvas: Height and width in pixels of what is cut out.

    Returns:
        `[batch, K - 1, 2]` and `[batch, K - 1, 4, POSE_INPUT, POSE_INPUT]`.
    """
    side = masks.shape[-1]
    places = torch.arange(side).to(masks)
    total = masks.sum(dim=(2, 3)) + 1e-3
    x, y = ((masks.sum(dim=d) * places).sum(dim=-1) / total for d in (2, 3))
    centers = torch.stack([x, y], dim=-1)
    masks = masks[:, :, None]
    masked = torch.cat([images * masks, masks], dim=2)
    zoom = torch.eye(2) * (canvas - 1) / (side - 1)
    shift = 2 * centers / (side - 1) - 1
    theta = torch.cat([zoom.expand(*x.shape, 2, 2), shift[..., None]], dim=-1)
    return centers, sample(masked, theta, POSE_INPUT, align_corners=True)


def pose_nets(objects: int) -> nn.Sequential:
    """Return a network for each object: its crops to `[batch, objects, 4]`."""
    layers, channels = [], 4
    for filters in (16, 32, 32):
        layers += [
            nn.Conv2d(
                objects * channels,
                objects * filters,
                kernel_size=5,
                stride=2,
                padding=2,
                groups=objects,
                bias=False,
            ),
            nn.BatchNorm2d(objects * filters, eps=1e-3),
            nn.ReLU(),
        ]
        channels = filters
    values = channels * (POSE_INPUT // 8) ** 2
    return nn.Sequential(
        nn.Flatten(1, 2),
        *layers,
        nn.Flatten(),
        nn.Unflatten(1, (objects, values)),
        SegmentLinear(objects, values, 64),
        nn.ReLU(),
        SegmentLinear(objects, 64, 4),
    )


def pose_error(
    estimated: torch.Tensor, true: torch.Tensor, canvas: int
) -> torch.Tensor:
    """Return the mean error of centers, as shares of a canvas, and of directions."""
    place = ((estimated - true)[..., :2] / canvas).square().sum(dim=-1)
    directions = (functional.normalize(p[..., 2:], dim=-1) for p in (estimated, true))
    turn = functional.mse_loss(*directions, reduction="none").sum(dim=-1)
    return (place + turn / 4).mean()
