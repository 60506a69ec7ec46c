"""Whether a film may be made with a checkpoint: the question that training/permissions.py answers."""

from fairframe.platform.tx import Row, Tx
from fairframe.training import permissions
from fairframe.training.permissions import Permit


def permits(tx: Tx, row: Row, purpose: str, tenant: str | None = None) -> Permit:
    """The permit to make films for a purpose, for a tenant (an agreement of theirs) or nobody in particular.

    Raises what permissions.require raises.
    """
    return permissions.require(tx, row, "generate", purpose, tenant=tenant)
