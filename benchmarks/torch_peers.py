"""The default steps of some methods, written plainly in PyTorch.

`STEPS` has a function for each: of images `[batch, 3, side, side]` in [0, 1] and K, it
returns a function that trains on them once. Networks, losses and Adam are those of
`configs/`; images are `channels_last`, and losses as their authors or a reader of the
paper would write them.
"""

import itertools

import torch
from torch import nn
from torch.nn import functional

WORDS, LEVELS = 128, 32


def block(inputs: int, outputs: int, dropout: float = 0) -> nn.Sequential:
    """Return the two convolutions of a U-Net's block."""
    layers = []
    for channels in (inputs, outputs):
        layers.append(convolution(channels, outputs))
    if dropout:
        layers.append(nn.Dropout2d(dropout))
    return nn.Sequential(*layers)


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Return a 3x3 convolution, batch normalization and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3),
        nn.ReLU(),
    )


def enlarged(x: torch.Tensor) -> torch.Tensor:
    """Return maps of twice the size."""
    return functional.interpolate(
        x, scale_factor=2, mode="bilinear", align_corners=False
    )


class UNet(nn.Module):
    """A U-Net of width 8 and depth 2 with bilinear upsampling."""

    def __init__(self, inputs: int, outputs: int, width: int = 8, dropout: float = 0):
        super().__init__()
        wide, wider = 2 * width, 4 * width
        self.down = nn.ModuleList(
            [block(inputs, width, dropout), block(width, wide, dropout)]
        )
        self.bottom = block(wide, wider, dropout)
        self.narrow = nn.ModuleList(
            [nn.Conv2d(wider, wide, 1), nn.Conv2d(wide, width, 1)]
        )
        self.up = nn.ModuleList(
            [block(wider, wide, dropout), block(wide, width, dropout)]
        )
        self.logits = nn.Conv2d(width, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for narrow, up in zip(self.narrow, self.up, strict=True):
            x = up(torch.cat([narrow(enlarged(x)), skips.pop()], dim=1))
        return self.logits(x)


def cirs(images: torch.Tensor, segments: int):
    """Four heads, normalized logits, Gumbel noise, argmax-in-place, color words."""
    heads, scale, dimensions = 4, 8.0, segments - 1
    network = nn.Sequential(
        UNet(3, heads * segments),
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
        hard = functional.one_hot(soft.argmax(dim=1), segments).permute(0, 3, 1, 2)
        masks = (hard + soft - soft.detach()).flatten(2)  # (B, K, HW)
        pooled = masks @ pixels / masks.shape[2]
        features = pooled / masks.mean(dim=2, keepdim=True).clamp(min=0.01) ** 0.5
        features = features / (features.square().sum(-1, keepdim=True) + 1).sqrt()
        mean = features.mean(dim=0)
        within = (features - mean).square().sum(-1).mean()
        return within - (mean - mean.mean(dim=0)).square().sum()

    def loss():
        logits = scale * network(images)
        noise = -torch.log(-torch.log(torch.rand_like(logits).clamp(min=1e-7)))
        pixels = pixel_vectors()
        parts = (logits + noise).split(segments, dim=1)
        return sum(loss_of(part, pixels) for part in parts)

    return updates(network.parameters(), loss)


def iic(images: torch.Tensor, segments: int):
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

    steps = [
        updates([*trunk.parameters(), *head.parameters()], lambda h=head: loss_of(h))
        for head in heads
    ]

    turns = itertools.cycle(steps)
    return lambda: next(turns)()


def wnet(images: torch.Tensor, segments: int):
    """Two U-Nets; soft normalized cut and reconstruction in one loss."""
    radius, sigma_intensity, sigma_position, weight = 5, 10 / 255, 4.0, 1000.0
    encoder = UNet(3, segments, dropout=0.1).to(memory_format=torch.channels_last)
    decoder = UNet(segments, 3, dropout=0.1).to(memory_format=torch.channels_last)
    shifts = [
        (down, right)
        for down in range(1 - radius, radius)
        for right in range(1 - radius, radius)
        if down**2 + right**2 < radius**2
    ]
    reach, (height, width) = radius - 1, images.shape[2:]
    inside = functional.pad(torch.ones_like(images[:1, :1]), [reach] * 4)

    def shifted(padded, down, right):
        rows, columns = reach + down, reach + right
        return padded[..., rows : rows + height, columns : columns + width]

    def cut(p):
        near, degree = 0, 0
        colors = functional.pad(images, [reach] * 4)
        padded = functional.pad(p, [reach] * 4)
        for down, right in shifts:
            apart = (images - shifted(colors, down, right)).square().sum(1, True)
            similar = torch.exp(
                -apart / sigma_intensity**2 - (down**2 + right**2) / sigma_position**2
            )
            similar = similar * shifted(inside, down, right)
            near = near + similar * shifted(padded, down, right)
            degree = degree + similar
        association = (p * near).sum(dim=(2, 3))
        return segments - (association / (p * degree).sum(dim=(2, 3))).sum(dim=1)

    def loss():
        p = encoder(images).softmax(dim=1)
        error = (images - decoder(p).sigmoid()).square().mean(dim=(1, 2, 3))
        return (cut(p) + weight * error).mean()

    return updates([*encoder.parameters(), *decoder.parameters()], loss)


def updates(parameters, loss):
    """Return a function that takes one step of Adam."""
    adam = torch.optim.Adam(parameters, lr=4e-3)

    def step() -> None:
        adam.zero_grad()
        loss().backward()
        adam.step()

    return step


STEPS = {"cirs": cirs, "iic": iic, "wnet": wnet}


def images_of(batch: int, side: int) -> torch.Tensor:
    """Return images of noise whose neighbors are equal, as drawn ones have."""
    small = torch.rand(batch, 3, side // 8, side // 8)
    enlarged_ = functional.interpolate(small, scale_factor=8)
    return enlarged_.to(memory_format=torch.channels_last)
