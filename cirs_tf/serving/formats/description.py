"""What is written beside a model of another format: what it is, takes and gives."""

import json

from cirs_tf.serving.model_card import ModelCard

DESCRIPTION = "cirs_tf.json"


def description(
    card: ModelCard, export_format: str, quantize: str | None = None
) -> str:
    """Return what `cirs_tf.json` holds: the card, and the model's interface.

    Args:
        card: What the segmenter is.
        export_format: `keras`, `onnx`, `litert`, `openvino`, `hub`.
        quantize: What the weights are stored as; None: float32.

    Example:
        >>> card = ModelCard(64, 64, num_segments=4)
        >>> json.loads(description(card, "onnx"))["interface"]["input"]
        'images: uint8 RGB [batch, height, width, 3]'
    """
    interface = {"model": export_format, "weights": quantize or "float32"}
    if export_format in ("keras", "hub"):
        interface |= {
            "input": "images: float32 RGB in [0, 1] [batch, height, width, 3]",
            "preprocessing": "divide uint8 images by 255",
            "output": f"logits float32 [batch, height, width, {card.num_segments}]",
        }
    else:
        interface |= {
            "input": "images: uint8 RGB [batch, height, width, 3]",
            "preprocessing": "none: the model divides by 255",
            "output": "labels: int32 [batch, height, width]; probabilities: float32 "
            f"[batch, height, width, {card.num_segments}]",
        }
    content = json.loads(card.as_json()) | {"interface": interface}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def flat_description(text: str) -> dict[str, str]:
    """Return a description as a format's own properties, texts alone.

    Args:
        text: From `description`; its interface stands among the other keys.
    """
    content = json.loads(text)
    content |= content.pop("interface")
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in content.items()
    }
