"""Where real images are that may not be committed."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def real_folder():
    """Return ../shared/data, or the folder that CIRS_DATA names."""
    return Path(os.environ.get("CIRS_DATA", ROOT.parent / "shared" / "data"))


def real_file(name):
    """Return a file of that folder; skip the test where it is missing."""
    folder = real_folder()
    if not (folder / name).is_file():
        pytest.skip(
            f"{folder / name}: missing; set CIRS_DATA to the folder that has it"
        )
    return folder / name
