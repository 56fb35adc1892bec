"""W-Net: segments that cut little, and that the image can be rebuilt from."""

import torch
from torch import nn
from torch.nn import functional

from torch_peers.phases import Phase, trains
from torch_peers.segments import argmax_in_place
from torch_peers.unet import BilinearUpsampling, UNet

# Linear sRGB to X, Y, Z over those of D65's white.
TO_XYZ = ((0.43395, 0.37622, 0.18983), (0.21267, 0.71516, 0.07217))
TO_XYZ += ((0.01776, 0.10947, 0.87271),)


def wnet(images: torch.Tensor, segments: int) -> list[Phase]:
    """Two U-Nets, hard segments; cut and reconstruction of L*a*b* in one loss."""
    radius, sigma_intensity, sigma_position, weight = 5, 10 / 255, 4.0, 1000.0
    options = {"depth": 2, "upsampling": BilinearUpsampling}
    encoder = nn.Sequential(
        UNet(3, segments, **options), nn.BatchNorm2d(segments, eps=1e-3, affine=False)
    ).to(memory_format=torch.channels_last)
    decoder = UNet(segments, 3, **options).to(memory_format=torch.channels_last)
    to_xyz = torch.tensor(TO_XYZ)
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

    def lab():
        linear = torch.where(
            images > 0.04045, ((images + 0.055) / 1.055) ** 2.4, images / 12.92
        )
        relative = torch.einsum("xc,bchw->bxhw", to_xyz, linear)
        curved = torch.where(
            relative > 0.008856, relative ** (1 / 3), 7.787 * relative + 16 / 116
        )
        x, y, z = curved.unbind(1)
        return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1) / 100

    def cut(p, image):
        near, degree = 0, 0
        colors = functional.pad(image, [reach] * 4)
        padded = functional.pad(p, [reach] * 4)
        for down, right in shifts:
            apart = (image - shifted(colors, down, right)).square().sum(1, True)
            similar = torch.exp(
                -apart / sigma_intensity**2 - (down**2 + right**2) / sigma_position**2
            )
            similar = similar * shifted(inside, down, right)
            near = near + similar * shifted(padded, down, right)
            degree = degree + similar
        association = (p * near).sum(dim=(2, 3))
        return segments - (association / (p * degree).sum(dim=(2, 3))).sum(dim=1)

    def loss():
        logits, image = 8 * encoder(images), lab()
        noise = -torch.log(-torch.log(torch.rand_like(logits).clamp(min=1e-7)))
        p = (logits + noise).softmax(dim=1)
        error = (image - decoder(argmax_in_place(p))).square().mean(dim=(1, 2, 3))
        return (cut(p, image) + weight * error).mean()

    return [trains(loss, 4e-3, encoder, decoder)]
