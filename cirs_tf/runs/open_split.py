"""Opens splits as a configuration says: in memory, or streamed from records."""

import functools
from collections.abc import Callable
from pathlib import Path

from cirs_tf.config.sections import Config
from cirs_tf.data.image_split import ImageSplit
from cirs_tf.data.splits import open_split


def split_opener(
    config: Config, data: str | Path | None = None, verify: bool = False
) -> Callable[..., ImageSplit]:
    """Return `open_split` with all but the split and what is read of it filled in.

    Args:
        config: With `training.cache` and `training.cache_mb`.
        data: Folder of the data set; None: that of the configuration.
        verify: Whether hashes are compared with the manifest, not sizes alone.
    """
    return functools.partial(
        open_split,
        data or config.data,
        cache=config.training.cache,
        cache_mb=config.training.cache_mb,
        verify=verify,
    )
