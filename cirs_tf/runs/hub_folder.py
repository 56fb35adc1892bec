"""A folder for the Hugging Face hub: model card, weights, settings, a picture."""

from pathlib import Path

import numpy as np
from PIL import Image

from cirs_tf.atomic_write import atomic_folder
from cirs_tf.config.files import save_config
from cirs_tf.config.sections import Config
from cirs_tf.config.settings import flatten, path_override
from cirs_tf.data.manifest import MANIFEST, Manifest
from cirs_tf.data.splits import load_split
from cirs_tf.errors import CheckpointError, ConfigError, DataError
from cirs_tf.methods.registry import load_config
from cirs_tf.runs.hub_card import model_card
from cirs_tf.runs.restore import Restored
from cirs_tf.serving.formats.description import DESCRIPTION, description
from cirs_tf.serving.formats.keras_file import KERAS_FILE
from cirs_tf.serving.segmenter import Segmenter
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.visualization import segmentation_grid

SAMPLE = "sample.png"
_PICTURED = 4
_SMALL = 128  # pixels a side up to which images are shown at twice their size


def write_hub_folder(
    run: RunFolder,
    restored: Restored,
    out: str | Path,
    model_license: str | None = None,
) -> Path:
    """Write card, weights (`segmenter.keras`), settings, `cirs_tf.json`, a picture.

    The settings name folders and files without their paths. The picture shows
    validation images and their segments; where the data set is not at hand it is left
    out, and the card, `README.md`, says so. `cirs_tf.load` reads the folder. Nothing is
    uploaded.

    Args:
        run: The run folder.
        restored: Its segmenter.
        out: The folder, new or empty; it appears whole or not at all.
        model_license: Of the weights, for the card; None: none is stated.

    Returns:
        The folder.

    Raises:
        CheckpointError: The folder holds something already, or cannot be written.
        DataError: A file of the run's evaluation is damaged.
    """
    picture = _sample(restored)
    name = Path(out).resolve().name
    manifest = Manifest.read(run.path)
    card = model_card(
        name, run, restored, manifest, model_license, SAMPLE if picture else None
    )
    config = without_paths(restored.config)
    try:
        with atomic_folder(out) as folder:
            restored.segmenter.save(folder / KERAS_FILE)
            save_config(config, folder / "config.yaml")
            text = description(restored.card, "hub")
            (folder / DESCRIPTION).write_text(text, encoding="utf-8")
            if picture:
                picture.save(folder / SAMPLE)
            (folder / "README.md").write_text(card, encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{out}: cannot be written: {error.strerror}") from None
    return Path(out)


def without_paths(config: Config) -> Config:
    """Return a configuration whose folders and files are names alone."""
    names = [
        path_override(key, Path(value).name)
        for key, value in flatten(config).items()
        if isinstance(value, str) and Path(value).name not in ("", value)
    ]
    return load_config(overrides=names, base=config)


def hub_client():
    """Import the hub's client.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import huggingface_hub
    except ImportError:
        raise ConfigError(
            "--push-to-hub needs huggingface_hub, which is not installed: "
            "pip install 'cirs-tf[huggingface]'"
        ) from None
    return huggingface_hub


def push_to_hub(folder: str | Path, repository: str) -> str:
    """Upload a folder; the only function here that reaches the network.

    Args:
        folder: From `write_hub_folder`.
        repository: `USER/NAME`, made where it is not there; the token is the one that
            huggingface_hub finds.

    Returns:
        The address of the repository.

    Raises:
        ConfigError: The extra `huggingface` is not installed, or the hub refuses.
    """
    client = hub_client()
    try:
        api = client.HfApi()
        url = api.create_repo(repository, repo_type="model", exist_ok=True)
        api.upload_folder(
            repo_id=repository, folder_path=str(folder), repo_type="model"
        )
    except Exception as error:  # its client raises what several libraries have
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(f"--push-to-hub {repository}: {reason}") from None
    return str(url)


def _sample(restored: Restored) -> Image.Image | None:
    """Draw validation images and their segments; None: they are not at hand."""
    data = restored.config.data
    if data is None or not (Path(data) / MANIFEST).is_file():
        return None
    try:
        images = load_split(data, "val", with_masks=False, limit=_PICTURED).images
    except DataError:
        return None
    labels = Segmenter.from_keras(restored.segmenter, restored.card).predict(
        np.asarray(images)
    )
    return segmentation_grid(
        images, labels, scale=2 if max(images.shape[1:3]) <= _SMALL else 1
    )
