"""Settling an incident: the signed document holds what happened in spite of the no, as it is asked then."""

from fairframe.core.errors import Refused
from fairframe.flows.in_spite import in_spite
from fairframe.platform.tx import WriteTx
from fairframe.rights import incidents
from fairframe.rights.incidents import Outcome


def settle(tx: WriteTx, public_id: str, outcome: Outcome, *, reason: str, by: str = "") -> bytes:
    """Settle an incident; the signed document holds what is known to have happened (see incidents.settle).

    Raises also Refused (incident.happened) where somebody says that nothing happened, and something did.
    """
    found = in_spite(tx, incidents.find(tx, public_id))
    if outcome == "nothing_happened" and not found.nothing:
        raise Refused(
            "something happened in spite of the no",
            code="incident.happened",
            where=public_id,
            reasons=[
                *(f"release {one.name}: {one.items} clips" for one in found.decided),
                *(f"delivery {one.name} to {one.lab}: {one.items} clips" for one in found.delivered),
                *(f"checkpoint {one.name}: {one.frames} frames" for one in found.trained),
            ],
            remedy="Settle it with the contributor, or dispute it",
        )
    return incidents.settle(tx, public_id, outcome, reason=reason, found=found, by=by)
