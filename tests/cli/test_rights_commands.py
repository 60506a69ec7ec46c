"""What cannot be undone is shown and asked before, and is not done where its result could not be kept."""

import pytest

from fairframe.core.time import now_ms
from fairframe.dataset import feeds
from fairframe.flows import opt_out
from fairframe.library import contributors
from fairframe.rights import agreements

from ..conftest import SettableClock
from ..dataset.conftest import PEOPLE, Loop, films, loop  # noqa: F401  (fixtures)
from .conftest import Fairframe

ANA, BEN, CHEN = PEOPLE


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


@pytest.fixture
def clock() -> SettableClock:
    """Beside these workspaces the commands open their own, at the time of the machine."""
    return SettableClock(now_ms())


def taken_back(loop: Loop, who: str) -> None:  # noqa: F811
    loop.to_lab()
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, who))
        data = feeds.issue(tx, loop.agreement)
    with loop.lab.write() as tx:
        feeds.refresh(tx, data)


def test_nothing_is_deleted_where_the_attestation_could_not_be_kept(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    taken_back(loop, ANA)
    (loop.tmp / "file").write_text("")
    refused = fairframe(
        "-w", loop.lab.root, "rights", "attest", "squares", "-o", loop.tmp / "file" / "att.json", "--yes"
    )
    assert refused.code == 1 and "input.unwritable" in refused.err
    with loop.lab.read() as tx:
        assert not [one for one in tx.rows(feeds.document.select()) if one["type"] == "attestation"]
    first, second = loop.tmp / "1.json", loop.tmp / "2.json"
    for file in (first, second):
        done = fairframe("-w", loop.lab.root, "rights", "attest", "squares", "-o", file, "--yes")
        assert done.code == 0, done.err
    assert first.read_bytes() == second.read_bytes()
    assert fairframe("-w", loop.library.root, "rights", "attested", second).code == 0


def test_no_offer_stands_where_its_document_could_not_be_kept(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    order = ("rights", "agree", "--offer", "research", "--licensee", loop.lab.party_id, "-o", loop.tmp)
    assert "input.unwritable" in fairframe("-w", loop.library.root, *order).err
    with loop.library.read() as tx:
        assert agreements.listing(tx) == []
