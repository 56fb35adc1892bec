"""W-Net: segments that cut little, and that the image can be rebuilt from."""

import torch
from torch.nn import functional

from torch_peers.phases import Phase, trains
from torch_peers.unet import BilinearUpsampling, UNet


def wnet(images: torch.Tensor, segments: int) -> list[Phase]:
    """Two U-Nets; soft normalized cut and reconstruction in one loss."""
    radius, sigma_intensity, sigma_position, weight = 5, 10 / 255, 4.0, 1000.0
    options = {"depth": 2, "upsampling": BilinearUpsampling, "dropout": 0.1}
    encoder = UNet(3, segments, **options).to(memory_format=torch.channels_last)
    decoder = UNet(segments, 3, **options).to(memory_format=torch.channels_last)
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

    return [trains(loss, 4e-3, encoder, decoder)]
