"""Breaches from the command line, on both sides: overdue, previewed, signed, taken, cured."""

import pytest

from fairframe.core.time import DAY_MS, now_ms
from fairframe.dataset import feeds
from fairframe.flows import opt_out
from fairframe.library import contributors
from fairframe.rights import agreements

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)
from .conftest import Fairframe


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


@pytest.mark.usefixtures("at_lab")
def test_a_breach_from_the_deadline_to_its_cure(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    """The commands run by the machine's clock: the opt-out and its feed happened long before."""
    library, lab, at = loop.library.root, loop.lab.root, loop.tmp
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, PEOPLE[0]))
        days = agreements.find(tx, loop.agreement).terms.deletion_days
    with loop.library.write() as tx:
        feeds.issue(tx, loop.agreement).write(at / "feed.json")
    breaches = ("-w", library, "rights", "breaches")
    record = (*breaches, "record", loop.agreement, "-o", at / "breach.json")
    assert loop.library.clock() + (days + 1) * DAY_MS < now_ms()

    overdue = fairframe(*breaches, "list", "--json").data["overdue"]
    assert [(one["items"], one["with"]) for one in overdue] == [(4, "North Lab")]
    assert "4 items" in fairframe(*breaches, "list").out
    unasked = fairframe(*record)
    assert unasked.code == 1 and "input.confirm" in unasked.err and "told by" in unasked.out
    done = fairframe(*record, "--yes")
    assert done.code == 0, done.err
    again = fairframe(*record, "--yes")
    assert again.code == 1 and "breach.nothing" in again.err
    for root in (library, lab):
        checked = fairframe("-w", root, "verify", at / "breach.json")
        assert checked.code == 0 and "breach.overdue" in checked.out, checked.out

    taken = fairframe("-w", lab, "rights", "breaches", "take", at / "breach.json")
    assert taken.code == 0 and "4 are not attested" in taken.out and "rights attest" in taken.err
    assert fairframe("-w", lab, "rights", "refresh", at / "feed.json").code == 0
    attest = fairframe("-w", lab, "rights", "attest", "squares", "-o", at / "attestation.json", "--yes")
    assert attest.code == 0, attest.err
    assert fairframe("-w", library, "rights", "attested", at / "attestation.json").code == 0
    for root in (library, lab):
        told = fairframe("-w", root, "rights", "breaches", "list", "--json").data
        assert told["overdue"] == [] and [one["open"] for one in told["recorded"]] == [0]
        assert "cured" in fairframe("-w", root, "rights", "breaches", "list").out
