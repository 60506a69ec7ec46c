"""Contributors: the people and firms whose footage the library holds."""

import unicodedata
from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError

from fairframe.core.errors import FairframeError, InputError, NotFound
from fairframe.core.ids import check_id, new_id
from fairframe.library.tables import contributor
from fairframe.library.wording import readable
from fairframe.platform.tx import Row, Tx, WriteTx

MAX_NAME = 200


def clean_name(text: str) -> str:
    """A name in NFC with single spaces. Raises InputError where it is empty, too long or not printable."""
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not name or len(name) > MAX_NAME or not readable(name):
        raise InputError(
            f"{name[:40]!r} is not a contributor's name" if name else "the contributor's name is blank",
            code="input.bad_contributor",
            remedy=f"Give a printable name of 1-{MAX_NAME} characters",
        )
    return name


def ensure(tx: WriteTx, name: str) -> Row:
    """The contributor of that name (or ctr_ id), added where there is none. Names are told apart by case."""
    name = clean_name(name)
    found = _one(tx, name)
    if found is not None:
        return found
    if _is_id(name):
        return find(tx, name)
    public_id = new_id("ctr")
    try:
        with tx.conn.begin_nested():
            tx.insert(contributor, public_id=public_id, name=name)
    except IntegrityError:
        return find(tx, name)  # another process added it between the look and the insert
    tx.record("contributor.added", public_id, {}, {"name": name})
    return find(tx, public_id)


def find(tx: Tx, name_or_id: str) -> Row:
    """The contributor with that name or ctr_ id. Raises NotFound."""
    found = _one(tx, unicodedata.normalize("NFC", " ".join(name_or_id.split())))
    if found is None:
        raise NotFound(
            f"no contributor {name_or_id[:80]!r}",
            code="contributor.missing",
            remedy="See: fairframe library list. Names are told apart by case",
        )
    return found


def listing(tx: Tx) -> Sequence[Row]:
    """All contributors by name."""
    return tx.rows(contributor.select().order_by(contributor.c.name))


def _one(tx: Tx, text: str) -> Row | None:
    if "\x00" in text:
        return None
    column = contributor.c.public_id if _is_id(text) else contributor.c.name
    return tx.row(contributor.select().where(column == text))


def _is_id(text: str) -> bool:
    try:
        check_id(text, "ctr")
    except FairframeError:
        return False
    return True
