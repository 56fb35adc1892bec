"""Templates of a run, and where each of them lies in a picture."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.models.posed_templates import PosedTemplates
from cirs_tf.runs.restore import load_networks
from cirs_tf.training.run_folder import RunFolder

# A segment, its share of the pixels in %, x and y in pixels, degrees.
PoseRow = list[Any]


class PoseView:
    """Shows what a segmenter with templates has learned, and finds it in pictures.

    Attributes:
        size: Height and width of the training images in pixels.
        templates: A picture of the templates.

    Args:
        method: `cirs_aligned`, with its trained networks.
    """

    def __init__(self, method: Any):
        self._method = method
        self.size = method.templates.size
        blank = np.zeros((1, *self.size, 3), np.uint8)
        self.templates = method.pictures(blank)["templates"]

    def show(self, image: np.ndarray) -> tuple[Image.Image, list[PoseRow]]:
        """Find the templates in a picture.

        Networks of poses know one size alone: the picture is scaled to fill that of the
        training images, and cut around its middle.

        Args:
            image: `[height, width, 3]` uint8.

        Returns:
            The picture, each template at its pose, and all of them; and for each
            segment but the background its number, share of the pixels in percent, x and
            y of the template's center in pixels of the training size, and its turn in
            degrees, clockwise. Of a segment without a pixel there is no pose: None.
        """
        fitted = ImageOps.fit(
            Image.fromarray(image), self.size[::-1], Image.Resampling.BICUBIC
        )
        batch = np.asarray(fitted)[None]
        poses, shares = self._method.estimate_poses(batch)
        rows = []
        for segment, (pose, share) in enumerate(
            zip(poses[0], shares[0, 1:], strict=True), start=1
        ):
            x, y, cosine, sine = map(float, pose)
            degrees = np.degrees(np.arctan2(sine, cosine))
            place = [round(x, 1), round(y, 1), round(float(degrees))]
            percent = round(100 * float(share), 1)
            rows.append([segment, percent, *(place if share else [None] * 3)])
        return self._method.pictures(batch)["poses"], rows


def pose_view(folder: str | Path) -> PoseView | None:
    """Return what a run shows; None: it has no templates, or this is no run.

    An exported model is its segmenter alone, without templates.

    Args:
        folder: A run, or an exported model.

    Raises:
        CirsError: The run is damaged.
    """
    run = RunFolder(Path(folder))
    if not run.config_file.is_file() or not run.checkpoints.is_dir():
        return None
    method, _ = load_networks(run)
    templates = getattr(method, "templates", None)
    return PoseView(method) if isinstance(templates, PosedTemplates) else None
