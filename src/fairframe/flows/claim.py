"""A claim that a film copies a clip: the film is looked at, laid beside the library, and kept as a case.

The film may be anybody's: only a limited child process opens it. What is kept of it are hashes, a few small pictures
and what it says of its origin; the file stays where it is.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from fairframe.core.errors import InputError, MediaError, NotFound
from fairframe.core.finding import Finding
from fairframe.core.timecode import Rate
from fairframe.curation import lookalikes, recorded
from fairframe.curation.duplicates import HASH_BYTES, Hashes
from fairframe.curation.lookalikes import Pair, Sample, Scan
from fairframe.curation.nearest import Chance
from fairframe.flows.claim_lineage import Seen, seen
from fairframe.generation.checks import Origin, look_at_film
from fairframe.library.tables import contributor
from fairframe.media import sandboxed
from fairframe.media.looks import Looks
from fairframe.media.sandbox import MediaWorker
from fairframe.media.workers import make_worker
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import claims
from fairframe.rights.claims import Film
from fairframe.verify.files import hash_file

NEAREST = 3
"""Assets that are shown of the contributor's, and as many of everybody else's beside them."""
STILL_PIXELS = 360
ALIKE_BITS = 32
"""An eighth of a hash's bits: a copy at another size, brightness and compression stays below, chance far above."""
LIMITS = (
    "Near frames are candidates for a person, never a verdict: the same place or the same sky can look alike.",
    "Compared are pictures as a whole: a crop, a frame within a frame, heavy grading or a new camera angle goes unseen."
    " A mirrored picture is found; a center square only of the clip that the claim names.",
    "Sound, story and style are not compared.",
    "A film that carries no signed lineage says nothing of the model that made it, nor that none did.",
)


@dataclass(frozen=True)
class Near:
    """An asset that comes near a film. distance: least, in bits of 256; theirs: the claimant's, or shared by them.

    alike: hashed frames of the film that are within ALIKE_BITS of a hash of it; stills: keys of the objects that show
    each pair (film, clip), empty where one of them could not be made.
    """

    asset: str
    filename: str
    contributor: str
    theirs: bool
    named: bool
    distance: int
    alike: int
    pairs: tuple[Pair, ...]
    stills: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Compared:
    """What a film was laid beside. film_frames: hashed frames of it, of all that tell something.

    hashes: of the library; exhaustive: whether each was compared, or only those that share a band (curation.nearest).
    """

    film_frames: int
    hashes: int
    exhaustive: bool
    chance: Chance
    near: tuple[Near, ...]


@dataclass(frozen=True)
class Looked:
    """All that a claim is kept with. `origin`: what a believed party signed; `seen`: what that model consumed."""

    film: Film
    compared: Compared
    findings: tuple[Finding, ...]
    origin: Origin | None
    seen: Seen | None

    def to_json(self) -> dict[str, Any]:
        origin = None if self.origin is None else {k: v for k, v in vars(self.origin).items() if k != "lineage"}
        return {
            "film_frames": self.compared.film_frames,
            "hashes": self.compared.hashes,
            "exhaustive": self.compared.exhaustive,
            "alike_bits": ALIKE_BITS,
            "chance": asdict(self.compared.chance),
            "near": [asdict(one) for one in self.compared.near],
            "findings": [{"ok": one.ok, "code": one.code, "text": one.text} for one in self.findings],
            "origin": origin,
            "seen": None if self.seen is None else asdict(self.seen),
            "limits": list(LIMITS),
        }


def look(ws: Workspace, path: Path, who: Row, of: Row | None = None) -> Looked:
    """Look at a film and lay it beside the library; only pictures are stored, no case yet.

    Raises NotFound, MediaError, InputError (claim.too_large, claim.changed while it was read, claim.flat).
    """
    with ws.read() as tx:
        claims.check_owner(tx, who, of)
    found = look_at_film(ws, path)
    if not found.bytes_hash:
        raise InputError(found.findings[0].text, code="claim.too_large", where=str(path), remedy="Send a shorter film")
    with make_worker(ws.settings) as worker:
        film = sandboxed.looks(worker, path)
        clip = None if of is None else sandboxed.looks(worker, ws.objects.path(of["content_hash"]))
        hashes = lookalikes.film_hashes(film)
        if not len(hashes):
            raise InputError(
                "no frame of the film has enough in it to be compared",
                code="claim.flat",
                where=str(path),
                remedy="Name a film with pictures",
            )
        compared = _compare(ws, worker, path, film, hashes, who, of, clip)
    if hash_file(path.resolve()) != found.bytes_hash:
        raise InputError(
            "the film changed while it was read", code="claim.changed", where=str(path), remedy="Try again"
        )
    with ws.read() as tx:
        what = None if found.origin is None else seen(tx, found.origin, who, of)
    size = path.stat().st_size
    return Looked(Film(path.name, found.bytes_hash, size), compared, found.findings, found.origin, what)


def claim(ws: Workspace, looked: Looked, who: Row, of: Row | None = None, *, words: str = "") -> str:
    """Keep what was looked at as a case in the review queue; returns its id. Raises what claims.lodge raises."""
    with ws.write() as tx:
        return claims.lodge(tx, who, looked.film, looked.to_json(), of=of, words=words)


def _compare(
    ws: Workspace,
    worker: MediaWorker,
    path: Path,
    film: Looks,
    hashes: Hashes,
    who: Row,
    of: Row | None,
    clip: Looks | None,
) -> Compared:
    sample = Sample()
    with ws.read() as tx:
        scans = [
            lookalikes.scan(tx, hashes, who["id"], theirs=theirs, most=NEAREST, sample=sample)
            for theirs in (True, False)
        ]
        rows = _rows(tx, scans, of)
    chance = sample.chance()
    near: list[Near] = []
    for row, theirs, whose in rows:
        named = of is not None and row["id"] == of["id"]
        pairs, own = _pairs(ws, film, row, clip if named else None)
        if pairs:
            alike = lookalikes.alike(film, own, ALIKE_BITS)
            stills = _stills(ws, worker, path, row, pairs)
            near.append(_near(row, whose, theirs, named, pairs, alike, stills))
    near.sort(key=lambda one: (not one.named, not one.theirs, one.distance))
    count = int(film.informative[0].sum())
    return Compared(count, sum(one.hashes for one in scans), all(one.exhaustive for one in scans), chance, tuple(near))


def _rows(tx: Tx, scans: Sequence[Scan], of: Row | None) -> list[tuple[Row, bool, str]]:
    """The assets to lay beside the film; whether each is the claimant's, and who brought it. The named one always."""
    ids = {key: theirs for theirs, scan in zip((True, False), scans, strict=True) for key, _ in scan.nearest}
    if of is not None:
        ids = {of["id"]: True} | ids
    rows = [(recorded.asset_row(tx, key), theirs) for key, theirs in ids.items()]
    people = sa.select(contributor).where(contributor.c.id.in_({row["contributor_id"] for row, _ in rows}))
    names = {row["id"]: str(row["public_id"]) for row in tx.rows(people)}
    return [(row, theirs, names[row["contributor_id"]]) for row, theirs in rows]


def _pairs(ws: Workspace, film: Looks, row: Row, clip: Looks | None) -> tuple[tuple[Pair, ...], Hashes]:
    """The nearest pairs of frames, and the asset's hashes that they come from."""
    if clip is not None:
        known = np.concatenate([clip.bits[view][clip.informative[view]] for view in (0, 2)])
        return lookalikes.pairs_looked(film, clip), known
    if row["measures"] is None:
        return (), np.empty((0, HASH_BYTES), np.uint8)
    data = ws.objects.read(str(row["measures"]))
    pairs = lookalikes.pairs_measured(film, data, Rate(row["fps_num"], row["fps_den"]))
    return pairs, lookalikes.measured_hashes(data)


def _near(
    row: Row,
    whose: str,
    theirs: bool,
    named: bool,
    pairs: tuple[Pair, ...],
    alike: int,
    stills: tuple[tuple[str, str], ...],
) -> Near:
    return Near(
        asset=row["public_id"],
        filename=row["filename"],
        contributor=whose,
        theirs=theirs,
        named=named,
        distance=pairs[0].distance,
        alike=alike,
        pairs=pairs,
        stills=stills,
    )


def _stills(
    ws: Workspace, worker: MediaWorker, path: Path, row: Row, pairs: Sequence[Pair]
) -> tuple[tuple[str, str], ...]:
    """Small pictures of each pair, kept as objects; none where a frame cannot be had."""
    try:
        film = _pictures(worker, path, [one.film_frame for one in pairs])
        clip = _pictures(worker, ws.objects.path(row["content_hash"]), [one.clip_frame for one in pairs])
    except (MediaError, NotFound):
        return ()
    return tuple((ws.objects.put_bytes(a), ws.objects.put_bytes(b)) for a, b in zip(film, clip, strict=True))


def _pictures(worker: MediaWorker, path: Path, frames: Sequence[int]) -> list[bytes]:
    return sandboxed.stills(worker, path, frames, longest=STILL_PIXELS)
