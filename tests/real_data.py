"""Where real images are that may not be committed."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def real_file(name):
    """Return a file of ../shared/data, or of the folder that CIRS_DATA names."""
    folder = Path(os.environ.get("CIRS_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / name).is_file():
        pytest.skip(
            f"{folder / name}: missing; set CIRS_DATA to the folder that has it"
        )
    return folder / name
