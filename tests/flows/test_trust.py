"""A party that is no longer trusted: nothing new of it is taken, nothing more is granted to it, the past stays."""

from collections.abc import Callable
from typing import Any

import pytest

from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.core.money import parse_money
from fairframe.dataset import feeds
from fairframe.dataset.papers import Papers
from fairframe.flows.trust import depends_on
from fairframe.flows.verify import trust_of, verify_audit
from fairframe.platform import audit, bundles, identity, trust
from fairframe.platform.tables import audit_entry, document
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements
from fairframe.verify.registry import verify

from ..dataset.conftest import Loop, at_lab, films, loop  # noqa: F401  (fixtures)


def unpin(ws: Workspace, who: str, reason: str = "") -> bool:
    with ws.write() as tx:
        return trust.unpin(tx, trust.find(tx, who), reason)


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == "trust.unpinned"
    assert "is no longer trusted here" in str(caught.value) and "fairframe trust add" in str(caught.value)
    return str(caught.value)


def offer(ws: Workspace, lab: Workspace) -> bytes:
    with ws.write() as tx:
        return agreements.offer(tx, "research", lab_party=lab.party_id, fee=parse_money("1.00", "USD"))


def sign(ws: Workspace, data: bytes) -> bytes:
    with ws.write() as tx:
        return agreements.countersign(tx, data)


def feed(loop: Loop) -> Papers:  # noqa: F811
    with loop.library.write() as tx:
        return feeds.issue(tx, loop.agreement)


def refresh(loop: Loop, data: Papers) -> None:  # noqa: F811
    with loop.lab.write() as tx:
        feeds.refresh(tx, data)


@pytest.mark.usefixtures("at_lab")
def test_a_lab_that_unpins_its_library(loop: Loop) -> None:  # noqa: F811
    first = feed(loop)
    refresh(loop, first)
    with loop.lab.read() as tx:
        found, head = depends_on(tx, trust.find(tx, "Harbor Stock")), audit.head(tx.conn)
        held = len(tx.rows(document.select()))
    assert found.agreements == ((loop.agreement, "active"),)
    assert (found.deliveries, found.open) == (1, 0)
    assert found.documents == held
    assert not any("to be deleted" in line or "rights end" in line for line in found.words)
    assert unpin(loop.lab, loop.library.party_id, "private words")
    assert not unpin(loop.lab, "Harbor Stock"), "a second time changes nothing"
    with loop.lab.read() as tx:
        assert head is not None and audit.tree_size(tx.conn) == head.size + 1
        last = tx.rows(audit_entry.select().order_by(audit_entry.c.seq))[-1]
        assert (last["kind"], last["subject"]) == ("party.unpinned", loop.library.party_id)
        assert "private words" not in last["body"]
        assert len(tx.rows(document.select())) == held
    refresh(loop, first)  # known: it says nothing new
    assert "this feed is not taken" in refused(lambda: refresh(loop, feed(loop)))
    fresh = offer(loop.library, loop.lab)
    assert "this agreement is not taken" in refused(lambda: sign(loop.lab, fresh))
    delivered = loop.tmp / "delivery"
    report = verify(delivered, trust_of(loop.lab, []), loop.lab.clock())
    assert [one.code for one in report.findings if one.ok is False] == ["dsse.unknown_key"]
    assert verify_audit(loop.lab, []).holds
    with loop.lab.write() as tx:
        assert identity.pin(tx, (loop.library.root / "party.json").read_bytes())[1], "pinned anew"
    with loop.lab.write() as tx:
        assert not identity.pin(tx, (loop.library.root / "party.json").read_bytes())[1]
    assert sign(loop.lab, fresh)
    refresh(loop, feed(loop))
    assert verify(delivered, trust_of(loop.lab, []), loop.lab.clock()).holds


def test_a_library_that_unpins_a_lab_grants_it_nothing_and_still_takes_back(loop: Loop) -> None:  # noqa: F811
    loop.agree()
    signed = sign(loop.lab, offer(loop.library, loop.lab))
    loop.build()
    assert unpin(loop.library, "North Lab")
    refused(lambda: offer(loop.library, loop.lab))
    assert "no delivery is signed for it" in refused(loop.deliver)
    assert not (loop.tmp / "delivery").exists()

    def accept() -> None:
        with loop.library.write() as tx:
            agreements.accept(tx, signed)

    assert "its signature is not taken" in refused(accept)
    refresh(loop, feed(loop))
    with loop.library.read() as tx:
        found = depends_on(tx, trust.find(tx, "North Lab"))
        assert bundles.pinned(tx, loop.lab.party_id).name == "North Lab", "the past can still be told"
    assert [state for _, state in found.agreements] == ["active", "offered"]
    assert any("feeds of what is taken back still go to it" in line for line in found.words)


def test_whom_one_can_unpin(library: Workspace, lab: Workspace) -> None:
    with pytest.raises(Refused) as caught:
        unpin(library, library.party_id)
    assert caught.value.code == "trust.own"
    with pytest.raises(NotFound):
        unpin(library, "Nobody")
    with pytest.raises(InputError):
        unpin(library, lab.party_id, "x" * 3_000)
    with library.read() as tx:
        assert trust.unpinned(tx) == {}
        assert {one.id for one in trust.believed(tx)} == {library.party_id, lab.party_id}
