"""One door for what must not race: publishing, leasing, feeding and revoking happen one after the other."""

from fairframe.platform import audit
from fairframe.platform.tx import WriteTx


def close_behind(tx: WriteTx) -> None:
    """Take the audit tree's lock now instead of at the end of the transaction.

    Every act that changes anybody's rights appends to the audit tree before it commits. Holding the lock from before
    the re-check to the commit of a publication, such an act has either committed (and the re-check sees it) or it
    waits, and then finds the published items and revokes them. SQLite's BEGIN IMMEDIATE already is this lock.
    """
    audit.lock(tx.conn)
