"""Where files are kept that can be made again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return `cirs_tf` in `$XDG_CACHE_HOME` (default: `~/.cache`)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cirs_tf"
