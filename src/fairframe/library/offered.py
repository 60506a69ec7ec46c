"""What an ingest is to take in: the files of a path, each with its line of metadata or the reason to refuse it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fairframe.core.errors import FairframeError, InputError
from fairframe.library.contributors import clean_name
from fairframe.library.metadata import Described, Metadata
from fairframe.library.walk import walk
from fairframe.library.wording import visible
from fairframe.media.sidecars import names_for


@dataclass(frozen=True)
class Offer:
    """One file. `path` is None where only metadata speaks of it; `error` says why it is refused unread."""

    name: str
    path: Path | None
    described: Described
    error: FairframeError | None = None
    sidecars: tuple[tuple[str, Path], ...] = ()
    """(name, path) of the files beside it that speak about its use."""


@dataclass(frozen=True)
class Offered:
    root: Path
    offers: list[Offer]
    ignored: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def gather(path: Path, metadata: Metadata, *, metadata_path: Path | None, contributor: str | None) -> Offered:
    """The files of `path` (a file or a folder) with what is said about them.

    A line's contributor goes before `contributor`. Raises InputError where `path` cannot be read.
    """
    for_all = clean_name(contributor) if contributor is not None else ""
    if path.is_file():
        name, full = _name_of(path, metadata), path.resolve()
        beside: dict[str, list[tuple[str, Path]]] = {}
        for one in sorted(full.parent.iterdir()):
            beside.setdefault(one.name.lower(), []).append((one.name, one))
        offer = replace(_offer(name, full, metadata, for_all), sidecars=_sidecars(full.name, beside))
        return Offered(full.parent, [offer])
    if not path.is_dir():
        raise InputError(
            "there is no such file or folder",
            code="input.bad_folder",
            where=str(path),
            remedy="Give a video file or a folder of them",
        )
    found = walk(path, named={*metadata.good, *metadata.bad})
    offers = [
        replace(_offer(name, file, metadata, for_all), sidecars=_sidecars(name, found.sidecars))
        for name, file in found.files
    ]
    spoken = {path for offer in offers for _, path in offer.sidecars}
    every = [one for some in found.sidecars.values() for one in some]
    found.ignored += [(name, "a sidecar of no file here") for name, file in every if file not in spoken]
    there = {name for name, _ in found.files}
    offers += [Offer(where, None, Described(where), error) for where, error in metadata.loose]
    for name in sorted({*metadata.good, *metadata.bad} - there):
        offers.append(Offer(name, None, Described(name), metadata.bad.get(name) or _absent(name, metadata_path)))
    csv = metadata_path.resolve() if metadata_path is not None else None
    return Offered(path, offers, [(name, why) for name, why in found.ignored if (path / name).resolve() != csv])


def _sidecars(name: str, there: Mapping[str, Sequence[tuple[str, Path]]]) -> tuple[tuple[str, Path], ...]:
    return tuple(found for one in names_for(name) for found in there.get(one, ()))


def _offer(name: str, path: Path, metadata: Metadata, for_all: str) -> Offer:
    described = metadata.good.get(name) or Described(name)
    error = metadata.bad.get(name)
    who = described.contributor or for_all
    if error is None and not who:
        error = InputError(
            "nobody is named as its contributor",
            code="input.no_contributor",
            where=name,
            remedy="Name one in the metadata, or say --contributor",
        )
    return Offer(name, path, replace(described, contributor=who), error)


def _absent(name: str, metadata_path: Path | None) -> InputError:
    return InputError(
        f"{metadata_path.name if metadata_path else 'the metadata'} names it, but the folder does not have it",
        code="input.absent",
        where=name,
        remedy="Mind the spelling, and name it from the folder down",
    )


def _name_of(path: Path, metadata: Metadata) -> str:
    """The name under which metadata speaks of a single file: the longest one that its path ends in."""
    full = "/" + path.resolve().as_posix().lstrip("/")
    names = [name for name in {*metadata.good, *metadata.bad} if full.endswith("/" + name)]
    return max(names, key=len, default=visible(path.name))
