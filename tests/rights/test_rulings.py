"""A person's ruling: what it can settle, what it cannot, how it ends, and that it is signed."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.rights.test_recheck import Scene, scene  # noqa: F401  (fixture)

from fairframe.core import bundle, dsse
from fairframe.core.errors import Conflict, FairframeError, InputError, NotFound, Refused
from fairframe.core.ids import new_id
from fairframe.core.ruling_body import RULABLE
from fairframe.core.time import DAY_MS
from fairframe.library import facts
from fairframe.library.tables import signal
from fairframe.platform.tables import audit_entry, document
from fairframe.platform.tx import WriteTx
from fairframe.rights import appeals, clearing, consent, holds, review, rulings
from fairframe.rights.clearance import CODES
from fairframe.rights.review import Filter
from fairframe.rights.tables import ruling
from fairframe.verify.forms import check_form


def unknown_people(scene: Scene, *numbers: int) -> None:  # noqa: F811
    with scene.ws.write() as tx:
        for n in numbers:
            facts.say(tx, scene.assets[n], "people", "unknown")


def say_signal(tx: WriteTx, scene: Scene, n: int, value: str, trust: str) -> None:  # noqa: F811
    words = {"kind": "xmp", "key": "plus:DataMining", "value": value, "trust": trust, "detail": {}}
    tx.insert(signal, public_id=new_id("sig"), asset_id=scene.ids[n], valid_from_ms=tx.now_ms, raw_key=None, **words)
    tx.record("asset.signal", scene.assets[n]["public_id"], {})


def rule(scene: Scene, n: int, finding: str, decision: rulings.Verdict = "allow", **more: object) -> rulings.Ruled:  # noqa: F811
    with scene.ws.write() as tx:
        return rulings.rule(tx, [scene.assets[n]], finding, decision, reason="I looked", **more)  # type: ignore[arg-type]


def outcome(scene: Scene, n: int) -> str:  # noqa: F811
    """By the set, which must be what the reference says."""
    cleared = scene.clear()
    with scene.ws.read() as tx:
        found = clearing.explain(tx, scene.agreement, scene.assets[n])
    assert cleared.decisions[scene.ids[n]] == (found.outcome, found.codes)
    return found.outcome


def test_a_ruling_lets_an_asset_in_until_it_expires(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    unknown_people(scene, 0, 1)
    assert review.queue(scene.ws, Filter()).counts == {"people_unknown": 2}
    before = scene.clear()
    done = rule(scene, 0, "people_unknown", expires_ms=clock.now + 30 * DAY_MS, by="Rea Viewer")
    assert scene.lost(before) == {}, "the ruled one clears now; nothing touched the other"
    assert outcome(scene, 0) == "ALLOW" and outcome(scene, 1) == "REVIEW"
    waiting = review.queue(scene.ws, Filter()).rows
    assert [(one.asset["id"], one.findings) for one in waiting] == [(scene.ids[1], ("people_unknown",))]
    clock.advance(30 * DAY_MS)
    assert outcome(scene, 0) == "REVIEW"
    assert review.queue(scene.ws, Filter()).total == 2
    assert len(done.rulings) == 1


def test_a_ruling_is_a_signed_document_and_names_nobody(scene: Scene) -> None:  # noqa: F811
    unknown_people(scene, 0)
    done = rule(scene, 0, "people_unknown", by="Rea Viewer")
    keyid, private = scene.ws.keys.signing_key()
    opened = bundle.open_signed(done.envelope, {keyid: private.public_key()})[0]
    assert opened.type == "ruling" and opened.id == done.document
    assert {one.ok for one in check_form(opened, Path())} == {True}
    assert opened.body["reason"] == "I looked" and opened.body["decision"] == "allow"
    assert opened.body["assets"] == [{"asset": scene.assets[0]["public_id"], "ruling": done.rulings[0][1]}]
    with scene.ws.read() as tx:
        row = tx.row(ruling.select())
        kept = tx.scalar(sa.select(document.c.envelope).where(document.c.public_id == done.document))
        entries = tx.rows(audit_entry.select())
    assert row is not None and row["document"] == done.document and kept == done.envelope.decode()
    assert row["expires_ms"] == row["valid_from_ms"] + rulings.ALLOW_DAYS * DAY_MS
    assert "ruling.allow" in {entry["kind"] for entry in entries}
    assert b"Rea Viewer" not in done.envelope and not any("Rea Viewer" in entry["body"] for entry in entries)
    forged = done.envelope.replace(b'"payload":"', b'"payload":"A', 1)
    with pytest.raises(FairframeError):
        bundle.open_signed(forged, {keyid: private.public_key()})


def test_nobody_rules_away_a_trusted_no_or_a_contributors_no(scene: Scene) -> None:  # noqa: F811
    with scene.ws.write() as tx:
        say_signal(tx, scene, 0, "notAllowed", "trusted")
        consent.set(tx, contributor=scene.ada, effect="deny", purpose="research", asset=scene.assets[1])
        consent.opt_out(tx, scene.bo)
    for n, finding in ((0, "do_not_train"), (1, "consent_denied"), (2, "opted_out")):
        for decision in ("allow", "deny"):
            with pytest.raises(Refused) as caught:
                rule(scene, n, finding, decision)  # type: ignore[arg-type]
            assert caught.value.code == "ruling.not_rulable"
        assert outcome(scene, n) == "DENY"


@pytest.mark.parametrize("finding", [code for code in CODES if code not in RULABLE])
def test_a_row_that_should_not_be_there_allows_nothing_either(scene: Scene, finding: str) -> None:  # noqa: F811
    """Whoever writes past `rule` into the table changes no decision, in SQL or in the reference."""
    unknown_people(scene, 0)
    with scene.ws.write() as tx:
        say_signal(tx, scene, 0, "allowed", "tampered")
        consent.opt_out(tx, scene.ada)
        row = {"finding": finding, "decision": "allow", "reason": "?", "expires_ms": None, "document": None}
        tx.insert(ruling, public_id=new_id("rul"), asset_id=scene.ids[0], valid_from_ms=tx.now_ms, **row)
    before = scene.clear().decisions[scene.ids[0]]
    assert before == ("DENY", ("opted_out", "people_unknown", "signal_tampered")) and outcome(scene, 0) == "DENY"


def test_what_was_never_seen_is_not_ruled_on(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    with pytest.raises(Refused) as caught:
        rule(scene, 0, "people_unknown")
    assert caught.value.code == "ruling.nothing"
    with scene.ws.write() as tx:
        say_signal(tx, scene, 0, "allowed", "untrusted")
    clock.advance(1)
    rule(scene, 0, "signal_untrusted")
    assert outcome(scene, 0) == "ALLOW"
    clock.advance(1)
    with scene.ws.write() as tx:
        say_signal(tx, scene, 0, "notAllowed", "untrusted")
    assert outcome(scene, 0) == "REVIEW", "a signal that came after the ruling waits again"
    clock.advance(1)
    rule(scene, 0, "signal_untrusted")
    assert outcome(scene, 0) == "ALLOW"


def test_the_later_ruling_counts_and_no_older_allow_comes_back(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    unknown_people(scene, 0)
    rule(scene, 0, "people_unknown")
    clock.advance(DAY_MS)
    rule(scene, 0, "people_unknown", "deny", expires_ms=clock.now + DAY_MS)
    assert outcome(scene, 0) == "DENY"
    clock.advance(DAY_MS)
    assert outcome(scene, 0) == "REVIEW"
    rule(scene, 0, "people_unknown", "deny")
    clock.advance(5_000 * DAY_MS)
    assert scene.clear().findings["ruled_out"] == 1, "a deny without an expiry stands"


@pytest.mark.parametrize(
    "bad", [{"expires_ms": 1}, {"expires_ms": 2**62}, {"reason": " "}, {"reason": "x" * 2_001}, {"reason": "a\x00b"}]
)
def test_bad_rulings(scene: Scene, bad: dict[str, object]) -> None:  # noqa: F811
    unknown_people(scene, 0)
    with scene.ws.write() as tx, pytest.raises(InputError):
        rulings.rule(tx, [scene.assets[0]], "people_unknown", "allow", **{"reason": "I looked", **bad})  # type: ignore[arg-type]
    with scene.ws.write() as tx, pytest.raises(InputError):
        rulings.rule(tx, [], "people_unknown", "allow", reason="I looked")
    with scene.ws.write() as tx, pytest.raises(InputError):
        rulings.rule(tx, [scene.assets[0]], "nonsense", "allow", reason="I looked")


def test_the_preview_is_what_happens_and_the_filters_narrow(scene: Scene) -> None:  # noqa: F811
    unknown_people(scene, 0, 1, 2)
    with scene.ws.write() as tx:
        holds.place(tx, scene.assets[1], code="dispute", reason="whose is it")
    everything = review.queue(scene.ws, Filter(), 2)
    assert (everything.total, len(everything.rows)) == (3, 2)
    assert review.queue(scene.ws, Filter(agreement=scene.agreement)).total == 2, "a held one waits for the hold first"
    assert review.queue(scene.ws, Filter(contributor=scene.ada)).total == 2
    assert [w.asset["id"] for w in review.queue(scene.ws, Filter(collection=scene.harbor)).rows] == scene.ids[:1]
    assert review.queue(scene.ws, Filter(after=scene.ids[1])).total == 1
    assert review.queue(scene.ws, Filter(finding="signal_untrusted")).total == 0
    rows = [one.asset for one in review.queue(scene.ws, Filter(finding="people_unknown")).rows]
    with scene.ws.read() as tx:
        change = rulings.preview(tx, rows, "people_unknown", "allow")
    assert [one.after for one in change] == [{"ALLOW": 2, "REVIEW": 0, "DENY": 1}]
    with scene.ws.write() as tx:
        done = rulings.rule(tx, rows, "people_unknown", "allow", reason="a harbor without people")
    assert len(done.rulings) == 3
    assert scene.clear().counts == {"ALLOW": 3, "REVIEW": 0, "DENY": 1}
    with scene.ws.read() as tx:
        assert len(tx.rows(document.select().where(document.c.type == "ruling"))) == 1, "one act, one document"


def test_an_appeal_is_a_case_with_an_outcome(scene: Scene) -> None:  # noqa: F811
    with scene.ws.write() as tx:
        hold = holds.place(tx, scene.assets[0], code="dispute", reason="Bo says it is his")
        with pytest.raises(InputError, match="another contributor"):
            appeals.lodge(tx, hold, scene.bo, "mine")
        case = appeals.lodge(tx, hold, scene.ada, "I filmed it, here is the raw file")
        with pytest.raises(Conflict):
            appeals.lodge(tx, hold, scene.ada, "again")
        with pytest.raises(NotFound):
            appeals.lodge(tx, "hld_x", scene.ada, "again")
        assert [one["public_id"] for one in appeals.listing(tx)] == [case]
    assert outcome(scene, 0) == "DENY", "an appeal lifts nothing by itself"
    with scene.ws.write() as tx:
        appeals.settle(tx, case, "kept", reason="the raw file is another take")
        assert appeals.listing(tx) == [] and appeals.find(tx, case)["state"] == "kept"
        with pytest.raises(Conflict):
            appeals.settle(tx, case, "lifted", reason="on second thought")
    assert outcome(scene, 0) == "DENY"
    with scene.ws.write() as tx:
        second = appeals.lodge(tx, hold, scene.ada, "here is the right raw file")
        envelope = appeals.settle(tx, second, "lifted", reason="it is hers", by="Rea Viewer")
        (found,) = check_form(bundle.read_payload(dsse.read_envelope(envelope).payload), Path())
        assert found.ok and f"the hold {hold} was lifted" in found.text
        assert [one["state"] for one in appeals.listing(tx, settled=True)] == ["kept", "lifted"]
        with pytest.raises(Conflict):
            appeals.lodge(tx, hold, scene.ada, "once more")
    assert outcome(scene, 0) == "ALLOW"
    keyid, private = scene.ws.keys.signing_key()
    body = bundle.open_signed(envelope, {keyid: private.public_key()})[0].body
    assert (body["outcome"], body["hold"]) == ("lifted", hold) and b"Rea" not in envelope


def test_a_hold_lifted_meanwhile_ends_its_appeal(scene: Scene) -> None:  # noqa: F811
    with scene.ws.write() as tx:
        hold = holds.place(tx, scene.assets[0], code="dispute", reason="?")
        case = appeals.lodge(tx, hold, scene.ada, "mine")
        holds.lift(tx, hold, "settled between them")
        assert appeals.listing(tx) == [] and appeals.find(tx, case)["state"] == "lifted"
        with pytest.raises(Conflict):
            appeals.settle(tx, case, "kept", reason="too late")


def test_what_can_be_ruled_on_asks_for_review() -> None:
    assert {CODES[code] for code in RULABLE} == {"REVIEW"}
    assert not set(rulings.INSTEAD) & RULABLE and set(rulings.INSTEAD) <= set(CODES)


def test_the_page_shows_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "review.md").read_text("utf-8")
    lines = [
        f"| {code} | {outcome} | {'yes' if code in RULABLE else 'no'} "
        f"| {'' if code in RULABLE else rulings.INSTEAD.get(code, rulings.OTHERWISE)} |"
        for code, outcome in CODES.items()
        if outcome != "ALLOW"
    ]
    assert [line for line in page.splitlines() if line.startswith("| ")][1:] == lines, "\n".join(lines)
    assert f"{rulings.ALLOW_DAYS} days" in page and f"{rulings.MAX_DAYS:,} days" in page
