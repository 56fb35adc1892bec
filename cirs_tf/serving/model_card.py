"""What an exported model says about itself, as JSON."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from cirs_tf import __version__
from cirs_tf.data.image_files import MAX_PIXELS
from cirs_tf.errors import ConfigError, DataError
from cirs_tf.visualization import palette

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class ModelCard:
    """Where a segmenter comes from, and what it expects.

    Attributes:
        height: Height of the training images in pixels.
        width: Width of the training images in pixels.
        num_segments: K.
        segment_names: A name for each segment; empty: `segment 0` and so on.
        method: Name of the method that trained it.
        run: Name of the run's folder.
        checkpoint: `loss`, `oracle`, `last` or a step.
        step: Mini-batches that it had seen.
        classes: Names of the classes of the data set's masks, empty without masks;
            which segment is which class is not known here.
        validation: What the run measured on its validation split at that step without
            labels: terms of the loss, and `segment_share`, the share of the pixels in
            each segment.
        weights_origin: Source and license of weights that were trained elsewhere;
            empty: there are none.
        max_pixels: `serve_bytes` refuses files of more pixels.

    Raises:
        ConfigError: There are names, but not as many as segments.
    """

    height: int
    width: int
    num_segments: int
    segment_names: tuple[str, ...] = ()
    method: str = ""
    run: str = ""
    checkpoint: str = ""
    step: int | None = None
    classes: tuple[str, ...] = ()
    validation: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    weights_origin: str = ""
    max_pixels: int = MAX_PIXELS

    def __post_init__(self):
        if self.segment_names and len(self.segment_names) != self.num_segments:
            raise ConfigError(
                f"names: expected {self.num_segments}, one for each segment, got "
                f"{len(self.segment_names)}"
            )

    def as_json(self) -> str:
        """Return all of it, with the segments' colors and the package's version."""
        names = self.segment_names or [
            f"segment {segment}" for segment in range(self.num_segments)
        ]
        colors = palette(self.num_segments).tolist()
        facts = dataclasses.asdict(self)
        del facts["segment_names"], facts["num_segments"]
        segments = [
            {"name": name, "color": color}
            for name, color in zip(names, colors, strict=True)
        ]
        head = {"format": FORMAT, "cirs_tf": __version__, "segments": segments}
        return json.dumps(head | facts, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> "ModelCard":
        """Return the card that `as_json` wrote.

        Args:
            text: The JSON.
            where: What errors call it.

        Raises:
            DataError: It is none, or of a later format.
        """
        try:
            facts = json.loads(text)
            found = facts.pop("format")
            if found != FORMAT:
                raise DataError(
                    f"{where}: description of format {found}; expected {FORMAT}"
                )
            segments = facts.pop("segments")
            names = tuple(segment["name"] for segment in segments)
            del facts["cirs_tf"]
            facts.pop("interface", None)  # of other formats
            facts["classes"] = tuple(facts["classes"])
            card = cls(num_segments=len(names), segment_names=names, **facts)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"{where}: damaged description ({error}); expected that of an exported "
                "model"
            ) from None
        return card
