"""An opt-out that races with publication is never delivered, and never goes unnoticed."""

import threading
from typing import Any

import pytest

from fairframe.core.errors import Refused
from fairframe.core.item_line import read_line
from fairframe.dataset import deliveries, handover, leases, listing, publication
from fairframe.flows import opt_out
from fairframe.library import assets, contributors, signals
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, consent

from .conftest import PEOPLE, Loop


def leave(ws: Workspace, name: str) -> Any:
    with ws.write() as tx:
        return opt_out.opt_out(tx, contributors.find(tx, name), "I have changed my mind")


def delivered_contributors(loop: Loop, folder: str = "delivery") -> set[str]:
    lines = (loop.tmp / folder / "items.jsonl").read_bytes().splitlines()
    return {read_line(line).contributor for line in lines}


def test_an_opt_out_while_clips_are_cut_is_dropped_at_publication(loop: Loop) -> None:
    loop.agree()
    left: list[Any] = []

    def show(_done: int, _total: int, _note: str) -> None:
        """The job says that it is cutting: the snapshot has been decided, nothing is published yet."""
        if not left:
            left.append(leave(loop.library, PEOPLE[0]))

    built = loop.build(show=show)
    assert left
    assert left[0].revoked == (), "nothing had been delivered"
    publication = built.funnel.gates[-1]
    assert (publication.entered, publication.left, publication.reasons) == (8, 4, {"opted_out": 4})
    loop.deliver()
    assert len(delivered_contributors(loop)) == 2
    assert loop.items_of(PEOPLE[0]) == []


def test_a_line_carries_the_findings_of_publication_not_of_the_snapshot(loop: Loop) -> None:
    loop.agree()
    noted: list[str] = []

    def show(_done: int, _total: int, _note: str) -> None:
        with loop.library.write() as tx:
            if not noted:
                row = assets.find(tx, "ben.mp4")
                said = signals.add(tx, row["id"], [signals.Found("note", "container", "no_manifest", "none")])
                tx.record("signals.read", row["public_id"], {"signals": said})
                noted.append(row["content_hash"])

    loop.build(show=show)
    with loop.library.read() as tx:
        clips = listing.show(tx, "squares")["clips"]
    assert {one["content_hash"] for one in clips if one["clearance"]["findings"] == ["signal_noted"]} == set(noted)


def test_if_everybody_leaves_meanwhile_nothing_is_published(loop: Loop) -> None:
    loop.agree()
    gone = list(PEOPLE)

    def show(_done: int, _total: int, _note: str) -> None:
        while gone:
            leave(loop.library, gone.pop())

    with pytest.raises(Refused) as caught:
        loop.build(show=show)
    assert caught.value.reasons[-1] == "publication: 0 of 8 clips (opted_out 8)"


@pytest.mark.usefixtures("built")
def test_a_change_between_build_and_delivery_is_never_delivered(loop: Loop) -> None:

    def show(_done: int, _total: int, _note: str) -> None:
        with loop.library.read() as tx:
            gone = consent.opted_out(tx, contributors.find(tx, PEOPLE[2])["id"])
        if not gone:
            assert leave(loop.library, PEOPLE[2]).revoked == ()

    with pytest.raises(Refused) as caught:
        loop.deliver(show=show)
    assert caught.value.code == "delivery.changed"
    assert list(loop.tmp.glob(".delivery*")) == []
    assert not (loop.tmp / "delivery").exists()
    loop.build("without")
    loop.deliver("without")
    assert len(delivered_contributors(loop)) == 2


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("order", ["opt-out first", "delivery first"])
def test_two_writers_at_once_either_drop_or_revoke(loop: Loop, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both transactions are open at the same time; whichever takes the lock first, the item is not left standing."""
    entered, left = threading.Event(), threading.Event()
    real = handover.recheck.recheck

    def slow(*arguments: Any) -> Any:
        """Inside the publishing transaction, after its lock: give the other one time to finish, if it can."""
        answer = real(*arguments)
        entered.set()
        outcome["overtaken"] = left.wait(timeout=1.5)
        return answer

    outcome: dict[str, Any] = {}

    def publish() -> None:
        try:
            outcome["delivered"] = loop.deliver()
        except Refused as error:
            outcome["refused"] = error

    def depart() -> None:
        outcome["left"] = leave(loop.library, PEOPLE[0])
        left.set()

    if order == "delivery first":
        # not a mock of the rule: it is asked as ever, only the moment after its answer is stretched
        monkeypatch.setattr("fairframe.dataset.handover.recheck.recheck", slow)
        one = threading.Thread(target=publish)
        one.start()
        assert entered.wait(timeout=60)
        two = threading.Thread(target=depart)
        two.start()
    else:
        two = threading.Thread(target=depart)
        two.start()
        two.join()
        one = threading.Thread(target=publish)
        one.start()
    for thread in (one, two):
        thread.join(timeout=60)
        assert not thread.is_alive()
    if order == "delivery first":
        assert not outcome["overtaken"]
        assert outcome["delivered"].new
        assert outcome["left"].items == 4
    else:
        assert outcome["refused"].code == "delivery.changed"
        assert outcome["left"].revoked == ()


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_nothing_goes_out_after_an_end_that_was_committed_meanwhile(loop: Loop, clock: Any) -> None:
    """Who began before the agreement was ended waits for the lock, and then sees that it was."""
    loop.deliver()
    library, folder = loop.library, loop.tmp / "raced"
    folder.mkdir()
    with library.read() as tx:
        release = deliveries._load(tx, "squares")
        delivery = handover.known(tx, release.row)
    assert delivery is not None
    clock.advance(1_000)
    with library.write() as tx:
        clock.advance(1_000)
        with library.write() as other:
            agreements.terminate(other, loop.agreement, "breach")
        for act in (
            lambda: handover.hand_over(tx, release, folder, folder),
            lambda: publication.ready(tx, loop.agreement, "another"),
            lambda: leases.issue(tx, delivery),
        ):
            with pytest.raises(Refused) as caught:
                act()
            assert caught.value.code in ("agreement.inactive", "lease.no_agreement")
    assert list(folder.iterdir()) == []
