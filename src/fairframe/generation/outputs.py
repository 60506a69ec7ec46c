"""The films of a workspace, found by id, or by content where a file has lost its credentials."""

import sqlalchemy as sa

from fairframe.generation.tables import output
from fairframe.platform.tables import audit_entry, disclosure
from fairframe.platform.tx import Row, Tx

MADE = "film.made"


def find_by_hash(tx: Tx, bytes_hash: str) -> Row | None:
    """The film with exactly these bytes (hex SHA-256), the newest of several; None if this workspace made none."""
    return tx.row(output.select().where(output.c.bytes_hash == bytes_hash).order_by(output.c.id.desc()))


def listing(tx: Tx) -> list[Row]:
    """All films, oldest first."""
    return list(tx.rows(output.select().order_by(output.c.id)))


def prompt_of(tx: Tx, row: Row) -> str | None:
    """What was asked for; None where that was erased. It stands only behind a commitment of the audit tree."""
    statement = (
        sa.select(disclosure.c.value)
        .join(audit_entry, audit_entry.c.seq == disclosure.c.audit_seq)
        .where(audit_entry.c.kind == MADE, audit_entry.c.subject == row["public_id"], disclosure.c.field == "prompt")
    )
    found = tx.scalar(statement)
    return None if found is None else str(found)
