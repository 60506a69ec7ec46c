"""A backdated no changes no past decision; what happened in spite of it is asked for, and answered for in time."""

from pathlib import Path

import pytest
from tests.rights.test_recheck import Scene, scene  # noqa: F401  (fixture)

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import Conflict, InputError, NotFound, Refused
from fairframe.core.time import DAY_MS
from fairframe.flows import consent_bulk, incidents, opt_out
from fairframe.flows.in_spite import InSpite, in_spite
from fairframe.library import assets
from fairframe.platform.tx import Row
from fairframe.rights import agreements, clearing, consent, moment
from fairframe.rights import incidents as cases
from fairframe.rights.consent_bulk import Word
from fairframe.rights.tables import incident
from fairframe.verify.forms import check_form

from ..dataset.conftest import PEOPLE, Loop, films, loop  # noqa: F401  (fixtures)
from .test_opt_out import report

ANA, BEN, _ = PEOPLE


def the_case(loop: Loop) -> tuple[Row, InSpite]:  # noqa: F811
    with loop.library.read() as tx:
        (row,) = cases.listing(tx)
        return row, in_spite(tx, row)


def test_what_happened_in_spite_of_a_backdated_no(loop: Loop) -> None:  # noqa: F811
    clock = loop.library.clock
    start = clock()
    clock.advance(DAY_MS)  # type: ignore[attr-defined]
    loop.to_lab()
    clock.advance(DAY_MS)  # type: ignore[attr-defined]
    report(loop, {loop.items_of(ANA)[0]: 30, loop.items_of(BEN)[0]: 7})
    clock.advance(DAY_MS)  # type: ignore[attr-defined]
    released = start + DAY_MS
    with loop.library.read() as tx:
        deal = agreements.find(tx, loop.agreement)
        row = assets.find(tx, "ana-1.mp4")
        then = clearing.explain(tx, deal, row, moment.asked(tx, None, released))
    with loop.library.write() as tx:
        event, revoked = opt_out.deny(tx, loop.contributor(ANA), "research", valid_from_ms=start)
        opened = cases.of_word(tx, event)
    assert [one.items for one in revoked] == [4], "from now on it counts as any no"
    with loop.library.read() as tx:
        assert clearing.explain(tx, deal, row, moment.asked(tx, None, released)) == then, "the decision of then"
        assert then.outcome == "ALLOW"
        assert clearing.explain(tx, deal, row, moment.asked(tx, released, None)).outcome == "DENY", "known today"
    case, found = the_case(loop)
    assert case["public_id"] == opened and case["due_ms"] == clock() + 30 * DAY_MS
    assert (case["words"], case["valid_from_ms"], case["recorded_at_ms"]) == (1, start, clock())
    assert [(d.name, d.at_ms, d.items) for d in found.decided] == [("squares", released, 4)]
    assert [(d.name, d.lab, d.items) for d in found.delivered] == [("squares", "North Lab", 4)]
    assert [(t.name, t.frames, t.of_all) for t in found.trained] == [("model", 30, 137)]
    assert (found.concerns, len(found.assets)) == (2, 2)

    with pytest.raises(Refused) as caught, loop.library.write() as tx:
        incidents.settle(tx, case["public_id"], "nothing_happened", reason="none")
    assert caught.value.code == "incident.happened" and len(caught.value.reasons) == 3
    clock.advance(31 * DAY_MS)  # type: ignore[attr-defined]
    assert cases.state(the_case(loop)[0], clock()) == "overdue"
    with loop.library.write() as tx:
        envelope = incidents.settle(tx, case["public_id"], "settled", reason="paid for the use", by="Rea")
    said = read_payload(read_envelope(envelope).payload)
    assert said.type == "incident_outcome" and said.body["found"]["trained"][0]["frames"] == 30
    assert b"Rea" not in envelope
    told = {one.code: (one.ok, one.text) for one in check_form(said, Path())}
    assert not [code for code, (ok, _) in told.items() if ok is False]
    assert "AFTER its deadline" in told["incident.deadline"][1] and "1 checkpoints" in told["incident.found"][1]
    with loop.library.read() as tx:
        assert cases.listing(tx) == [] and cases.listing(tx, settled=True)[0]["outcome"] == "settled"
    with pytest.raises(Conflict), loop.library.write() as tx:
        incidents.settle(tx, case["public_id"], "disputed", reason="again")
    with pytest.raises(NotFound), loop.library.write() as tx:
        incidents.settle(tx, "inc_x", "disputed", reason="again")


def test_what_was_delivered_before_was_trained_on_in_spite_of_it(loop: Loop) -> None:  # noqa: F811
    clock = loop.library.clock
    loop.to_lab()
    clock.advance(10 * DAY_MS)  # type: ignore[attr-defined]
    since = clock()
    clock.advance(DAY_MS)  # type: ignore[attr-defined]
    report(loop, {loop.items_of(ANA)[0]: 30})
    with loop.library.write() as tx:
        done = opt_out.opt_out(tx, loop.contributor(ANA), valid_from_ms=since)
    assert done.incident is not None and [one.items for one in done.revoked] == [4]
    _, found = the_case(loop)
    assert (found.decided, found.delivered, [t.frames for t in found.trained]) == ((), (), [30])
    with pytest.raises(Conflict), loop.library.write() as tx:
        opt_out.opt_out(tx, loop.contributor(ANA), valid_from_ms=since + 1)


def test_which_noes_open_one(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    past, future = clock.now - DAY_MS, clock.now + DAY_MS
    with scene.ws.write() as tx:
        opt_out.deny(tx, scene.ada, "research")
        opt_out.deny(tx, scene.ada, "research", valid_from_ms=clock.now)
        opt_out.deny(tx, scene.ada, "research", valid_from_ms=future)
        consent.set(tx, contributor=scene.bo, effect="allow", purpose="evaluate", valid_from_ms=past)
        assert not tx.rows(incident.select())
        yes = [Word(row, "allow", "evaluate") for row in scene.assets[2:]]
        assert consent_bulk.say(tx, scene.bo, yes, past).incident is None
        opt_out.deny(tx, scene.bo, "commercial", asset=scene.assets[2], valid_from_ms=past - 1)
        opt_out.deny(tx, scene.ada, "commercial", collection=scene.harbor, valid_from_ms=past)
    clock.advance(1)
    with scene.ws.write() as tx:
        words = [Word(row, "deny", "commercial") for row in scene.assets[2:]]
        assert consent_bulk.say(tx, scene.bo, words, past).incident is not None
    with scene.ws.read() as tx:
        found = [(row["words"], in_spite(tx, row).concerns) for row in cases.listing(tx)]
        assert found == [(1, 1), (1, 1), (2, 2)]
        assert all(in_spite(tx, row).nothing for row in cases.listing(tx))
        one = cases.listing(tx)[0]["public_id"]
    with scene.ws.write() as tx:
        for bad in ("", " ", "x" * 2_001, "\x00"):
            with pytest.raises(InputError):
                incidents.settle(tx, one, "nothing_happened", reason=bad)
        incidents.settle(tx, one, "nothing_happened", reason="no clip of it was out")
