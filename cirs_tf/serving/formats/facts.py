"""What is written beside a model: what it is, and what it takes and gives."""

import dataclasses

FACTS = "cirs_tf.json"


@dataclasses.dataclass(frozen=True)
class ModelFacts:
    """What a segmenter is.

    Attributes:
        method: Name of the method that trained it.
        segments: K.
        height: Height of the training images in pixels.
        width: Width of the training images in pixels.
        checkpoint: The checkpoint's name.
        step: Mini-batches that it had seen.
        origin: Where weights are from that were trained elsewhere; empty: none were.
    """

    method: str
    segments: int
    height: int
    width: int
    checkpoint: str
    step: int
    origin: str = ""

    def as_json(self, export_format: str, quantize: str | None = None) -> dict:
        """Return what `cirs_tf.json` holds: numbers and strings alone.

        Args:
            export_format: `keras`, `onnx`, `litert`, `openvino`, `hub`.
            quantize: What the weights are stored as; None: float32.

        Example:
            >>> facts = ModelFacts("cirs", 4, 64, 64, "loss", 300)
            >>> facts.as_json("onnx")["input"]
            'images: uint8 RGB [batch, height, width, 3]'
        """
        content = dataclasses.asdict(self) | {
            "format": export_format,
            "weights": quantize or "float32",
        }
        if export_format in ("keras", "hub"):
            return content | {
                "input": "images: float32 RGB in [0, 1] [batch, height, width, 3]",
                "preprocessing": "divide uint8 images by 255",
                "output": f"logits float32 [batch, height, width, {self.segments}]",
            }
        return content | {
            "input": "images: uint8 RGB [batch, height, width, 3]",
            "preprocessing": "none: the model divides by 255",
            "output": "labels: int32 [batch, height, width]; probabilities: float32 "
            f"[batch, height, width, {self.segments}]",
        }
