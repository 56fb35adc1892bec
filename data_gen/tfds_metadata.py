"""Writes the metadata with which `tfds.builder_from_directory` reads a data set.

The files are TensorFlow Datasets' JSON, written here without that package. A record may
lack its mask, and tfds has no optional image, but a sequence of images whose key may be
absent. So the mask is declared as a sequence: of length 1 where there is a mask, of
length 0 where there is none. So are the segmentations of several annotators.
"""

import json
from pathlib import Path

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.records import (
    FILENAME,
    HEIGHT,
    IMAGE,
    IMAGE_CLASS,
    IMAGE_CLASS_NAME,
    MASK,
    SEGMENTATIONS,
    WIDTH,
)

FEATURES = "features.json"
DATASET_INFO = "dataset_info.json"
_PACKAGE = "tensorflow_datasets.core.features"


def write_tfds_metadata(directory: Path, manifest: Manifest) -> None:
    """Write `features.json` and `dataset_info.json`.

    Args:
        directory: Where the shards are.
        manifest: Describes them.
    """
    contents = {FEATURES: _features(manifest), DATASET_INFO: _dataset_info(manifest)}
    for name, content in contents.items():
        (directory / name).write_text(json.dumps(content, indent=2) + "\n")


def _features(manifest: Manifest) -> dict:
    features = {
        IMAGE: _image(manifest, channels=3),
        HEIGHT: _integer(),
        WIDTH: _integer(),
        FILENAME: _text(),
    }
    splits = manifest.splits.values()
    if any(split.masks for split in splits):
        features[MASK] = _sequence(_image(manifest, channels=1))
    if any(split.segmentations for split in splits):
        features[SEGMENTATIONS] = _sequence(
            _image(manifest, channels=1, dtype="uint16")
        )
    if manifest.image_classes:
        features[IMAGE_CLASS] = _integer()
        features[IMAGE_CLASS_NAME] = _text()
    return {
        "pythonClassName": f"{_PACKAGE}.features_dict.FeaturesDict",
        "featuresDict": {"features": features},
    }


def _image(manifest: Manifest, channels: int, dtype: str = "uint8") -> dict:
    shape = [str(side) for side in (manifest.height, manifest.width, channels)]
    return {
        "pythonClassName": f"{_PACKAGE}.image_feature.Image",
        "image": {
            "shape": {"dimensions": shape},
            "dtype": dtype,
            "encodingFormat": "png",
        },
    }


def _sequence(feature: dict) -> dict:
    return {
        "pythonClassName": f"{_PACKAGE}.sequence_feature.Sequence",
        "sequence": {"feature": feature, "length": "-1"},
    }


def _text() -> dict:
    return {"pythonClassName": f"{_PACKAGE}.text_feature.Text", "text": {}}


def _integer() -> dict:
    return {
        "pythonClassName": f"{_PACKAGE}.scalar.Scalar",
        "tensor": {"shape": {}, "dtype": "int64", "encoding": "none"},
    }


def _dataset_info(manifest: Manifest) -> dict:
    return {
        "name": manifest.name,
        "version": manifest.generator["version"],
        "description": _description(manifest),
        "fileFormat": "tfrecord",
        "splits": [
            {
                "name": name,
                "filepathTemplate": "{SPLIT}-{SHARD_X_OF_Y}.{FILEFORMAT}",
                "numBytes": str(sum(shard.bytes for shard in split.shards)),
                "shardLengths": [str(shard.examples) for shard in split.shards],
            }
            for name, split in manifest.splits.items()
        ],
    }


def _description(manifest: Manifest) -> str:
    # "Pictures", not "Images": the bytes of a set do not change.
    if not manifest.classes:
        return "Pictures."
    names = enumerate(manifest.classes)
    classes = ", ".join(f"{label} {name}" for label, name in names)
    return f"Pictures with masks. Classes: {classes}."
