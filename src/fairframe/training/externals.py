"""Models from elsewhere: what a person says of their licenses. Their training data is undisclosed.

Rows are only added: of one model (one hash) the newest holds. Such a model becomes an ancestor where a training names
it (session.train). "unknown" permits neither commercial use nor the release of derived weights.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from fairframe.core.ancestors import AncestorRef
from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.core.ids import new_id
from fairframe.core.plain import is_plain
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.training import registry
from fairframe.training.permission_rule import Word
from fairframe.training.tables import external_model
from fairframe.verify.files import hash_file

DATA = "undisclosed"
"""Of what such a model was trained on, nobody here knows."""
MAX_WEIGHTS_BYTES = 256 * 2**30
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class External:
    """What is said of a model from elsewhere. hash: SHA-256 hex of its weights. by: the person who says so."""

    name: str
    hash: str
    license: str
    license_url: str
    by: str
    commercial: Word = "unknown"
    release: Word = "unknown"


def add(tx: WriteTx, said: External) -> str:
    """Write a declaration; its ext_ id. Saying the same again adds a row and changes nothing.

    Raises InputError (input.bad_external), Refused (external.own) where the weights are those of a checkpoint here.
    """
    _check(said)
    _refuse_own(tx, said)
    public_id = new_id("ext")
    tx.insert(
        external_model,
        public_id=public_id,
        name=said.name,
        hash=said.hash,
        license=said.license,
        license_url=said.license_url,
        commercial=said.commercial,
        release=said.release,
        declared_by=said.by,
    )
    told = {"name": said.name, "hash": said.hash, "license": said.license, "license_url": said.license_url}
    words = {"commercial": said.commercial, "release": said.release}
    tx.record("external_model.declared", public_id, {**told, **words}, {"by": said.by})
    return public_id


def hash_weights(path: Path) -> str:
    """SHA-256 hex of a file of weights. Raises InputError where it is no regular file, or a larger one."""
    found = hash_file(path, max_bytes=MAX_WEIGHTS_BYTES)
    if found is None:
        raise InputError(f"{path} is longer than {MAX_WEIGHTS_BYTES} bytes", code="input.bad_external")
    return found


def listing(tx: Tx) -> list[Row]:
    """The newest declaration of each model, by name."""
    newest = {row["hash"]: row for row in tx.rows(external_model.select().order_by(external_model.c.id))}
    return sorted(newest.values(), key=lambda row: (row["name"], row["id"]))


def by_hash(tx: Tx, weights_hash: str) -> Row | None:
    """The newest declaration of a model; None where nobody said anything."""
    return tx.row(external_model.select().where(external_model.c.hash == weights_hash).order_by(_NEWEST).limit(1))


def find(tx: Tx, name_or_id: str) -> Row:
    """The newest declaration under a name, or the one of an ext_ id. Raises NotFound."""
    where = (external_model.c.name == name_or_id) | (external_model.c.public_id == name_or_id)
    row = tx.row(external_model.select().where(where).order_by(_NEWEST).limit(1))
    if row is None:
        what = f"no external model is called {name_or_id[:80]!r}"
        raise NotFound(what, code="external.missing", remedy="Declare it: fairframe model external add")
    return row


def ancestor(row: Row, role: str) -> AncestorRef:
    """An external model as an ancestor. Its weight is 0: in how many frames it learned is undisclosed."""
    return AncestorRef("external", row["name"], row["hash"], row["license"], DATA, 0, 1, role)


def _check(said: External) -> None:
    url = urlsplit(said.license_url)
    wrong = {
        "the name": not _line(said.name, 80),
        "the license": not _line(said.license, 200),
        "the license's address (http or https)": url.scheme not in ("http", "https")
        or not url.netloc
        or not _line(said.license_url, 500),
        "the hash (SHA-256, 64 lower-case hex digits)": not _HASH.fullmatch(said.hash),
        "who says so": not _line(said.by, 200),
        "commercial use (yes, no or unknown)": said.commercial not in get_args(Word),
        "release of derived weights (yes, no or unknown)": said.release not in get_args(Word),
    }
    for what, holds in wrong.items():
        if holds:
            raise InputError(f"{what} is missing, too long or not as it should be", code="input.bad_external")


def _refuse_own(tx: Tx, said: External) -> None:
    """Nobody's word on a license replaces the agreements that a checkpoint stands under: of all its weights, or one of
    its files."""
    for row in registry.listing(tx):
        files: object = registry.lineage_of(row).body.get("files", {}) if row["direction"] == "own" else {}
        if said.hash == row["weights_hash"] or (isinstance(files, dict) and said.hash in files.values()):
            raise Refused(
                f"these are weights of the checkpoint {row['name']}, which is not from elsewhere",
                code="external.own",
                where=row["public_id"],
                remedy=f"Name the checkpoint itself: --ancestor ROLE={row['name']}",
            )


def _line(text: str, most: int) -> bool:
    return bool(text.strip()) and len(text) <= most and is_plain(text)


_NEWEST = external_model.c.id.desc()
