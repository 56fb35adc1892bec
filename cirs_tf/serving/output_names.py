"""Names under which masks and overlays are written: one for each image, none twice."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path


def output_names(
    images: Sequence[tuple[Path, Path]], endings: Sequence[str]
) -> dict[Path, Path]:
    """Return a name for each image, so that nothing is written over anything else.

    Images have the names of their files without suffix. Those that would be written
    over one another keep their suffix: masks of `a.jpg` and `a.png` are `a.jpg.png` and
    `a.png.png`. Where that does not help either, as for files of one name from
    different folders, a number follows from the second on: `a.png-2`.

    Args:
        images: For each image its path relative to where it was found, and its path.
        endings: Of the files that are written under each name, such as `.png`.

    Returns:
        Name to the image's path, in the order of `images`.

    Example:
        >>> images = [(Path(name), Path(name)) for name in ("a.jpg", "a.png", "b.png")]
        >>> [str(name) for name in output_names(images, [".png"])]
        ['a.jpg', 'a.png', 'b']
    """
    attempts = [0] * len(images)
    while True:
        names = [
            _name(place, attempt)
            for (place, _), attempt in zip(images, attempts, strict=True)
        ]
        writers = defaultdict(list)
        for index, name in enumerate(names):
            for ending in dict.fromkeys(endings):
                writers[f"{name}{ending}"].append(index)
        clashes = [indices for indices in writers.values() if len(indices) > 1]
        if not clashes:
            break
        renamed = set()
        for indices in clashes:
            plain = [index for index in indices if attempts[index] == 0]
            renamed.update(plain or indices[1:])
        for index in renamed:
            attempts[index] += 1
    return {name: path for name, (_, path) in zip(names, images, strict=True)}


def _name(place: Path, attempt: int) -> Path:
    if attempt == 0:
        return place.with_suffix("")
    return place if attempt == 1 else place.with_name(f"{place.name}-{attempt}")
