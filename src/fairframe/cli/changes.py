"""What an act would change, as people read it before they confirm."""

from collections.abc import Sequence

from fairframe.cli.shell import span, table
from fairframe.flows.opt_out import TakesBack
from fairframe.rights.rulings import Change

OUTCOMES = ("ALLOW", "REVIEW", "DENY")


def clearances(changes: Sequence[Change]) -> None:
    """Outcomes under each active agreement, now and then."""
    table(
        ["agreement", "offer", *(f"#{one} now" for one in OUTCOMES), *(f"#{one} then" for one in OUTCOMES)],
        [
            (c.agreement, c.offer, *(c.before[one] for one in OUTCOMES), *(c.after[one] for one in OUTCOMES))
            for c in changes
        ],
        empty="no agreement is active, so nothing clears otherwise today",
    )


def taken_back(back: Sequence[TakesBack]) -> None:
    """What is taken back of each delivery; nothing is said where that is nothing."""
    if back:
        table(
            ["delivery", "lab", "#clips taken back", "#length"],
            [(one.name, one.party, one.items, span(one.duration_ms)) for one in back],
        )
