"""Scoring films beside real clips: the held-out clips of the checkpoint's delivery give each measure's range.

Only what the model made is measured, not the frames that it was given, and as the model made it: at its own size, not
scaled up. Real clips are cut to the film's length, because a longer clip drifts further.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError, NotFound
from fairframe.core.item_line import Item, Split
from fairframe.dataset.loader import OpenDelivery, open_delivery
from fairframe.generation import outputs
from fairframe.generation.film import OVERLAP
from fairframe.generation.measures import LEAST_FRAMES, Measure, Nearest, film_measures, nearest
from fairframe.platform.objects import sha256_file
from fairframe.platform.runs import Progress, running, silent
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace
from fairframe.training import registry

Frames = NDArray[np.uint8]

MOST_REAL, MOST_TRAINED = 16, 128
"""Held-out and training clips that are decoded at most, taken in turn from each asset."""
GIVEN = {"text": 0, "image": 1, "extend": OVERLAP}
"""Frames that a film of each mode may begin with and that the model did not make, at most."""


@dataclass(frozen=True)
class FilmScore:
    """frames: those measured, of which the model made every one. real_clips, training_clips: how many it stands
    beside. nearest: None where the delivery has no training clip."""

    output: str
    frames: int
    size: int
    real_clips: int
    training_clips: int
    measures: dict[str, Measure]
    nearest: Nearest | None

    @property
    def outside(self) -> list[str]:
        """Names of the measures that lie outside the real clips' range, the nearest training clip's distance too."""
        return [name for name, one in self.all_measures().items() if one.inside is False]

    def all_measures(self) -> dict[str, Measure]:
        return self.measures | ({"nearest": self.nearest.distance} if self.nearest is not None else {})

    def to_json(self) -> dict[str, Any]:
        """Plain values; `measures` holds the distance to the nearest training clip under "nearest"."""
        named = {name: one.to_json() for name, one in self.all_measures().items()}
        clip = None if self.nearest is None else self.nearest.clip
        return {**asdict(self), "measures": named, "nearest": clip, "outside": self.outside}


def score_films(ws: Workspace, model: str, films: Sequence[Path], show: Progress = silent) -> list[FilmScore]:
    """Score films that this workspace made with the checkpoint `model`, in the order given.

    The delivery must be open: looking at its clips is use too. Raises NotFound (film.missing where these bytes are no
    film of the checkpoint), InputError (input.film_short: fewer than three frames of the model's own), Refused
    (delivery closed; a merge has none), MediaError.
    """
    with ws.read() as tx:
        row = registry.find(tx, model)
        made = [outputs.find_by_hash(tx, sha256_file(path)) for path in films]
    with running(ws, "generate.score", {"checkpoint": row["public_id"], "films": len(films)}, show) as run:
        found: list[FilmScore] = []
        known = [_own(row, path, one) for path, one in zip(films, made, strict=True)]
        delivery = open_delivery(ws, registry.delivery_of(row))
        clips: dict[tuple[int, int], tuple[list[Frames], list[tuple[str, Frames]]]] = {}
        for done, (path, one) in enumerate(zip(films, known, strict=True)):
            run.progress(done, len(films), path.name)
            shape = int(one["recipe"]["model_size"]), round(one["fps_num"] / one["fps_den"])
            if shape not in clips:
                real = [frames for _, frames in _clips(delivery, "heldout", MOST_REAL, *shape)]
                clips[shape] = real, _clips(delivery, "train", MOST_TRAINED, *shape)
            found.append(_score(one, _own_frames(path, one, shape[0]), *clips[shape]))
        run.result = {"films": [one.to_json() for one in found]}
    return found


def in_turn(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    """At most `most` items: each asset's first, then each one's second, and so on. Pure."""
    seen: dict[str, int] = {}
    turns: list[tuple[int, int]] = []
    for place, one in enumerate(items):
        turns.append((seen.get(one.asset, 0), place))
        seen[one.asset] = turns[-1][0] + 1
    return tuple(items[place] for _, place in sorted(turns)[:most])


def _own(checkpoint: Row, path: Path, made: Row | None) -> Row:
    if made is None or made["checkpoint_id"] != checkpoint["id"]:
        raise NotFound(
            f"this is no film of the checkpoint {checkpoint['name']}",
            code="film.missing",
            where=str(path),
            remedy="Name the checkpoint that made it, and the file as it was written.",
        )
    return made


def _clips(delivery: OpenDelivery, split: Split, most: int, size: int, fps: int) -> list[tuple[str, Frames]]:
    admitted = delivery.admitted()
    usable = [one for one in delivery.items if one.split == split and one.id in admitted]
    some = replace(delivery, items=in_turn(usable, most))
    return [(one.item, one.frames) for one in some.clips(size, fps)]


def _own_frames(path: Path, made: Row, size: int) -> Frames:
    """uint8 (F, size, size, 3): the frames that the model made, at its own size."""
    from fairframe.media.decode import read_span

    first = GIVEN[made["mode"]]
    if made["frames"] - first < LEAST_FRAMES:
        raise InputError(
            f"the model made too few of its {made['frames']} frames",
            code="input.film_short",
            where=str(path),
            remedy="Score films of half a second or more.",
        )
    return read_span(path, first, made["frames"], size=(size, size))


def _score(made: Row, film: Frames, real: list[Frames], trained: list[tuple[str, Frames]]) -> FilmScore:
    cut = [clip[: len(film)] for clip in real]
    return FilmScore(
        output=str(made["public_id"]),
        frames=len(film),
        size=film.shape[1],
        real_clips=len(cut),
        training_clips=len(trained),
        measures=film_measures(film, cut),
        nearest=nearest(film, trained, cut),
    )
