"""CIRS with aligned segments: each object is a template at a pose."""

import torch
from torch.nn import functional

from torch_peers.phases import Phase, trains
from torch_peers.posed_templates import (
    SPEED,
    Templates,
    crops,
    pose_error,
    pose_nets,
)
from torch_peers.segments import (
    argmax_in_place,
    chosen_error,
    label_cross_entropy,
    pseudo_labels,
    usage_penalty,
)
from torch_peers.unet import UNet


def cirs_aligned(images: torch.Tensor, segments: int) -> list[Phase]:
    """Errors against rendered templates, pseudo-labels, outlines, known poses."""
    objects, side = segments - 1, images.shape[-1]
    canvas = 2 * round(0.625 * side / 2)
    segmenter = UNet(3, segments).to(memory_format=torch.channels_last)
    poser = pose_nets(objects).to(memory_format=torch.channels_last)
    templates = Templates(objects, side, canvas)

    def poses_and_error(masks):
        seen = crops(images[:, None], masks[:, 1:], canvas)
        *rendered, true = templates.at_random(len(images))
        known = crops(*rendered, canvas)
        centers, inputs = (torch.cat(both) for both in zip(seen, known, strict=True))
        correction = poser(inputs)
        places = centers + correction[..., :2] * canvas / 4
        poses, estimated = torch.cat([places, correction[..., 2:]], dim=-1).chunk(2)
        return poses, pose_error(estimated, true, canvas)

    def errors_of(colors, support):
        squared = (images[:, None] - colors).square().mean(dim=2)  # (B, K - 1, H, W)
        of_objects = support * squared + (1 - support) * 0.1
        behind = (images - SPEED * templates.background).square().mean(1, True)
        hidden = 0.02 * support.amax(dim=1, keepdim=True)
        return torch.cat([behind + hidden, of_objects], dim=1)

    def outline_error(support, labels):
        masks = functional.one_hot(labels, segments).permute(0, 3, 1, 2)
        counted = masks[:, 1:] + masks[:, :1]
        return (counted * (support - masks[:, 1:]).square()).sum(dim=1).mean()

    def loss():
        soft = segmenter(images).softmax(dim=1)
        masks = argmax_in_place(soft)  # (B, K, H, W)
        poses, pose = poses_and_error(masks)
        rendered = templates(poses)  # (B, K - 1, 4, H, W)
        support = rendered[:, :, 3]
        errors = errors_of(rendered[:, :, :3], support)
        labels = pseudo_labels(images, errors)
        return (
            chosen_error(masks, errors)
            + 0.3 * label_cross_entropy(soft, labels)
            + 0.1 * outline_error(support, labels)
            + 0.1 * pose
            + 0.02 * usage_penalty(soft, floor=0.01)
        )

    return [trains(loss, 4e-3, segmenter, poser, templates)]
