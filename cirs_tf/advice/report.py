"""What was seen in images and what to type, as text and as JSON."""

import dataclasses
import os
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

from cirs_tf.advice.image_sample import ImageSample
from cirs_tf.advice.image_signs import ImageSigns, image_signs
from cirs_tf.advice.recommendation import (
    MICROSCOPE,
    REGIONS,
    Kind,
    Segments,
    count_segments,
    fitting_size,
    kind_of,
    seen,
    size_flag,
    summary_of,
)

_ENOUGH = 150  # images; of fewer, K is often wrong
_FOLDER = "YOUR_IMAGES"  # in a command, where a data set is given


@dataclasses.dataclass(frozen=True)
class Advice:
    """What to do with some images.

    Attributes:
        signs: What was seen.
        kind: Of the images.
        segments: K by stability, or why there is none.
        size: Height and width that the data set should have.
        commands: To be typed, one after the other.
        text: All of it, for people.
    """

    signs: ImageSigns
    kind: Kind
    segments: Segments | str
    size: tuple[int, int]
    commands: tuple[str, ...]
    text: str

    def as_json(self) -> dict:
        """Return the figures, the method, K, size and commands."""
        segments = self.segments
        if not isinstance(segments, str):
            segments = {
                "chosen": segments.chosen,
                "others": list(segments.others),
                "stabilities": dict(segments.stabilities),
            }
        return {
            "signs": dataclasses.asdict(self.signs),
            "kind": self.kind.name,
            "method": self.kind.method,
            "segments": segments,
            "size": list(self.size),
            "commands": list(self.commands),
        }


def advise(
    sample: ImageSample, where: str, seed: int, prefix: str = "python -m cirs_tf."
) -> Advice:
    """Look at images and say what to do with them.

    Args:
        sample: Some of them.
        where: The data set or folder that they are of.
        seed: Seed of halves and clusterings.
        prefix: How the printed commands begin.

    Returns:
        What was seen, and what to type.
    """
    signs = image_signs(sample.images, sample.crops)
    kind = kind_of(signs, sample.num_sizes == 1)
    segments = count_segments(kind, sample.images, seed)
    size = fitting_size(kind, *sample.size)
    commands = tuple(_commands(sample, where, kind, segments, size, prefix))
    lines = [
        _entry("looked at", _sample_text(sample, where)),
        *(_entry("" if row else "seen", line) for row, line in enumerate(seen(signs))),
        "",
        _entry("so", kind.name),
        _entry("method", f"{kind.method}: {summary_of(kind)}"),
        *([_entry("or", kind.instead)] if kind.instead else []),
        *_segment_lines(sample, kind, segments),
        _entry("size", _size_text(sample, size)),
        "",
        *(_entry("" if row else "type", line) for row, line in enumerate(commands)),
    ]
    if kind == MICROSCOPE and sample.is_data_set:
        lines.append(
            _entry("first", f"{prefix}baselines --data {shlex.quote(where)}")
            + "   (scores of thresholds, where there are masks)"
        )
    return Advice(signs, kind, segments, size, commands, "\n".join(lines))


def _sample_text(sample: ImageSample, where: str) -> str:
    height, width = sample.size
    text = f"{len(sample.images):,} of {sample.total:,} images of {where}, "
    text += f"{height} x {width} pixels"
    if sample.num_sizes > 1:
        text += f", most of them; {sample.num_sizes} sizes"
    return text


def _entry(title: str, text: str) -> str:
    return f"{title:11}{text}"


def _segment_lines(
    sample: ImageSample, kind: Kind, segments: Segments | str
) -> Iterator[str]:
    if isinstance(segments, str):
        yield _entry("K", segments)
        return
    if not segments.stabilities:
        yield _entry("K", "2, the background and what is in front")
        return
    text = str(segments.chosen)
    if segments.others:
        text += f"; {', '.join(map(str, segments.others))} would do as well"
    if kind.background:
        text += "; kinds of objects, plus one for the background"
    yield _entry("K", text)
    if not segments.is_stable:
        yield _entry("", "halves of the images agree on no K: look at the segments")
    elif len(sample.images) < _ENOUGH:
        yield _entry("", f"uncertain: {_ENOUGH} images or more would say it better")
    values = (f"{k}:{value:.2f}" for k, value in segments.stabilities.items())
    listed = textwrap.wrap(f"stability by K, 1 is best: {', '.join(values)}", 76)
    yield from (_entry("", line) for line in listed)


def _size_text(sample: ImageSample, size: tuple[int, int]) -> str:
    pixels = f"{size[0]} x {size[1]} pixels"
    if size != sample.size:
        return pixels
    return "as it is" if sample.num_sizes == 1 else f"{pixels}, as most of them have"


def _outside(images: Path, out: str, ending: str) -> str:
    """Return a folder to write to, beside the images where `out` lies in theirs."""
    if images.is_dir() and Path(out).resolve().is_relative_to(images):
        return _beside(images, ending)
    return out


def _beside(images: Path, ending: str) -> str:
    return os.path.relpath(images.parent / f"{images.name or 'images'}-{ending}")


def _commands(
    sample: ImageSample,
    where: str,
    kind: Kind,
    segments: Segments | str,
    size: tuple[int, int],
    prefix: str,
) -> Iterator[str]:
    folder = _FOLDER if sample.is_data_set else shlex.quote(where)
    place = Path(where).resolve()
    if kind.method == REGIONS:
        deep = " --recursive" if sample.has_subfolders else ""
        out = shlex.quote(_outside(place, "regions", "regions"))
        yield f"{prefix}regions {folder}{deep} --out {out}"
        return
    data = where
    if sample.is_data_set and size != sample.size:
        data = _beside(place, "resized")
    elif not sample.is_data_set:
        name = place.stem if place.is_file() else place.name
        data = _outside(place, f"data/{name}", "set")
    if data != where:
        importer = (
            "cirs-tf data" if prefix.startswith("cirs-tf") else "python -m data_gen"
        )
        yield (
            f"{importer} images --images {folder} --size {size_flag(size)} "
            f"--out {shlex.quote(data)}"
        )
    command = f"{prefix}train --model {kind.method} --data {shlex.quote(data)}"
    if isinstance(segments, str):
        command += " --set segments=K"
    elif segments.stabilities:
        command += f" --set segments={segments.chosen}"
    yield command
