"""How large the segments of each image are, as a table in a file."""

import csv
import io
import json
from pathlib import Path

import numpy as np

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.errors import ConfigError, ImageError


class SegmentSummary:
    """A row per image: its file, size in pixels, and the share of each segment.

    Files that could not be read have a row with the error in the place of the others.

    Args:
        path: Where `write` writes it: a `.json`, a list of objects with
            `segment_share`, a list of K numbers; or a `.csv` with columns `share_0`,
            `share_1` and so on.

    Raises:
        ConfigError: It ends in neither, or its folder cannot be made.

    Example:
        >>> summary = SegmentSummary("shares.csv")
        >>> summary.add("a.png", np.array([[0, 0], [0, 2]]), 3)
        >>> print(summary.as_csv(), end="")
        image,width,height,share_0,share_1,share_2,error
        a.png,2,2,0.75,0.0,0.25,
    """

    def __init__(self, path: str | Path):
        self._path = Path(path)
        if self._path.suffix.lower() not in (".json", ".csv"):
            raise ConfigError(
                f"--summary {path}: expected a name that ends in .json or .csv"
            )
        if self._path.is_dir():
            raise ConfigError(f"--summary {path}: is a folder")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--summary {path}: {error.strerror}") from None
        self._rows: list[dict] = []

    def add(self, image: str | Path, labels: np.ndarray, num_segments: int) -> None:
        """Add an image.

        Args:
            image: Its file.
            labels: `[height, width]` integers in [0, K).
            num_segments: K.
        """
        height, width = labels.shape
        counts = np.bincount(labels.ravel(), minlength=num_segments)
        shares = (counts / labels.size).tolist()
        self._rows.append(
            {
                "image": str(image),
                "width": width,
                "height": height,
                "segment_share": shares,
            }
        )

    def add_error(self, image: str | Path, error: Exception) -> None:
        """Add a file that could not be read.

        Args:
            image: The file.
            error: Why.
        """
        self._rows.append({"image": str(image), "error": str(error)})

    def as_csv(self) -> str:
        """Return the table as text, with a line of names first."""
        segments = max(
            (len(row.get("segment_share", ())) for row in self._rows), default=0
        )
        text = io.StringIO()
        shares = [f"share_{segment}" for segment in range(segments)]
        table = csv.DictWriter(
            text,
            ("image", "width", "height", *shares, "error"),
            lineterminator="\n",
        )
        table.writeheader()
        for row in self._rows:
            facts = {key: row[key] for key in row if key != "segment_share"}
            values = row.get("segment_share", ())
            table.writerow(facts | dict(zip(shares, values, strict=False)))
        return text.getvalue()

    def write(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            ImageError: It cannot be written.
        """
        text = json.dumps(self._rows, indent=1) + "\n"
        if self._path.suffix.lower() == ".csv":
            text = self.as_csv()
        try:
            write_text_atomically(self._path, text)
        except OSError as error:
            raise ImageError(
                f"{self._path}: cannot be written: {error.strerror}"
            ) from None
