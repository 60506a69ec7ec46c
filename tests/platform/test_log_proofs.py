"""What a party shows of its audit tree, and what the other party or a stranger makes of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core import dsse
from fairframe.core.bundle import Bundle, Head, read_payload, seal
from fairframe.core.canonical import canonical, parse
from fairframe.core.errors import FairframeError
from fairframe.core.log_proof_body import LogProof
from fairframe.core.merkle import leaf_hash
from fairframe.core.party import Party
from fairframe.core.time import DAY_MS
from fairframe.flows.verify import verify_audit, with_held_heads
from fairframe.platform import audit, bundles, log_proofs
from fairframe.platform.audit_check import _Tree
from fairframe.platform.tables import document, peer_head
from fairframe.platform.workspace import Workspace
from fairframe.verify.kind import Report
from fairframe.verify.registry import verify
from fairframe.verify.trust import Trust

ACTS = 9


class Story:
    """A library whose documents, each with its head, a lab took; then it went on."""

    def __init__(self, library: Workspace, lab: Workspace, folder: Path) -> None:
        self.library, self.lab, self.folder = library, lab, folder
        self.feeds: list[bytes] = []
        for number in range(ACTS):
            with library.write() as tx:
                tx.record("test.act", f"thing_{number}", {"i": number}, private={"who": f"person {number}"})
            if number in (3, 6):
                self.feeds.append(self.send())

    def send(self) -> bytes:
        with self.library.write() as tx:
            sealed = bundles.issue(tx, "feed", self.lab.party_id, {})
        with self.lab.write() as tx:
            bundles.accept(tx, sealed, "feed")
        return sealed

    def seq(self, subject: str) -> int:
        with self.library.read() as tx:
            (row,) = log_proofs.acts(tx, subject)
        return int(row["seq"])

    def head(self, sealed: bytes) -> Head:
        with self.library.read() as tx:
            return log_proofs.head_of(tx, sealed)

    def prove(self, **what: Any) -> bytes:
        with self.library.write() as tx:
            return log_proofs.issue(tx, log_proofs.make(tx, **what))

    def trust(self) -> Trust:
        return Trust.of([Party.from_envelope((ws.root / "party.json").read_bytes()) for ws in (self.library, self.lab)])

    def check(self, sealed: bytes, *against: bytes, inside: Workspace | None = None) -> Report:
        path = self.folder / "proof.json"
        path.write_bytes(sealed)
        report = verify(path, self.trust(), self.library.clock(), (), against)
        return report if inside is None else with_held_heads(report, path, inside)

    def resign(self, sealed: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
        """The same proof with another body, signed by its owner's key."""
        bundle = opened(sealed)
        body = parse(canonical(bundle.body))
        assert isinstance(body, dict)
        change(body)
        return seal(replace(bundle, body=body), self.library.keys.signing_key()[1])

    def rewrite(self, subject: str) -> None:
        """What the owner of a database can do: another past, every hash computed anew."""
        with self.library.engine.begin() as conn:
            if conn.dialect.name == "postgresql":
                conn.execute(sa.text("set session_replication_role = replica"))
            else:
                for (name,) in conn.execute(sa.text("select name from sqlite_master where type = 'trigger'")).all():
                    conn.execute(sa.text(f"drop trigger {name}"))
            (text,) = conn.execute(sa.text("select body from audit_entry where subject = :s"), {"s": subject}).one()
            other = canonical({**parse(text), "body": {"i": 99}})  # type: ignore[dict-item]
            values = {"b": other.decode(), "h": leaf_hash(other).hex(), "s": subject}
            conn.execute(sa.text("update audit_entry set body = :b, leaf_hash = :h where subject = :s"), values)
            conn.execute(sa.text("delete from audit_node"))
            tree = _Tree()
            for (body,) in conn.execute(sa.text("select body from audit_entry order by seq")).all():
                for level, idx, value in tree.add(leaf_hash(body.encode())):
                    node = {"l": level, "i": idx, "h": value.hex()}
                    conn.execute(sa.text("insert into audit_node (level, idx, hash) values (:l, :i, :h)"), node)


def opened(sealed: bytes) -> Bundle:
    return read_payload(dsse.read_envelope(sealed).payload)


def codes(report: Report, ok: bool | None = False) -> set[str]:
    return {one.code for one in report.findings if one.ok is ok}


@pytest.fixture
def story(library: Workspace, lab: Workspace, tmp_path: Path) -> Story:
    return Story(library, lab, tmp_path)


def test_an_act_is_shown_under_the_head_that_the_other_party_holds(story: Story) -> None:
    kept = story.feeds[0]
    proof = story.prove(act=story.seq("thing_2"), under=story.head(kept))
    report = story.check(proof, kept)
    assert report.kind == "log proof" and report.holds, report.findings
    assert {"log.inclusion", "log.held"} <= codes(report, True)
    assert "test.act on thing_2" in str(report.findings) and "person 2" not in proof.decode()
    assert "log.held" in codes(story.check(proof, inside=story.lab), True)
    assert "log.held" in codes(story.check(proof, inside=story.library), True)


def test_a_head_goes_on_from_an_older_one(story: Story) -> None:
    old, new = (story.head(one) for one in story.feeds)
    proof = story.prove(since=old, under=new)
    report = story.check(proof, *story.feeds)
    assert report.holds and "log.consistency" in codes(report, True)
    assert sum(one.code == "log.held" for one in report.findings) == 2


def test_every_act_and_every_older_size_has_a_proof(story: Story) -> None:
    with story.library.read() as tx:
        size = audit.tree_size(tx.conn)
        for n in range(size):
            proof = log_proofs.make(tx, act=n, since=n)
            assert LogProof.from_json(parse(canonical(proof.to_json()))) == proof
            assert proof.includes() and proof.extends()


def test_a_head_of_another_size_is_only_said_to_be_unseen(story: Story) -> None:
    report = story.check(story.prove(act=0), story.feeds[0])
    assert report.holds and codes(report, None) == {"log.held"}
    assert codes(story.check(story.prove(act=0), inside=story.lab), None) == {"log.held"}


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another entry": (
        lambda b: b["act"].update(entry=b["act"]["entry"].replace("thing_2", "thing_3")),
        "log.inclusion",
    ),
    "another place": (lambda b: b["act"].update(entry=b["act"]["entry"].replace('"seq":', '"seq":1')), "log.inclusion"),
    "a shorter path": (lambda b: b["act"]["path"].pop(), "log.inclusion"),
    "a swapped path": (lambda b: b["act"]["path"].reverse(), "log.inclusion"),
    "another root": (lambda b: b["head"].update(root="ab" * 32), "log.inclusion"),
    "another size": (lambda b: b["head"].update(size=b["head"]["size"] // 2), "log.inclusion"),
    "a tree of tomorrow": (lambda b: b["head"].update(size=b["head"]["size"] + 99), "log.head"),
    "another older root": (lambda b: b["extends"].update(root="cd" * 32), "log.consistency"),
    "a longer path": (lambda b: b["extends"]["path"].append("00" * 32), "log.consistency"),
    "no proof at all": (lambda b: b.update(act=None, extends=None), "document.field"),
    "an entry of another form": (lambda b: b["act"].update(entry="{}"), "document.field"),
    "an entry spelled otherwise": (lambda b: b["act"].update(entry=b["act"]["entry"] + " "), "document.not_canonical"),
    "a key twice": (
        lambda b: b["act"].update(entry=b["act"]["entry"].replace('"seq":', '"seq":0,"seq":')),
        "document.duplicate_key",
    ),
    "a field too many": (lambda b: b.update(note="trust me"), "document.field"),
    "a hash in capitals": (lambda b: b["extends"]["path"].__setitem__(0, "AB" * 32), "document.field"),
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_proof_is_found_even_when_it_is_signed(story: Story, what: str) -> None:
    change, code = CHANGES[what]
    honest = story.prove(act=story.seq("thing_2"), since=story.head(story.feeds[0]))
    assert story.check(honest).holds
    assert code in codes(story.check(story.resign(honest, change)))


def test_a_rewritten_history_cannot_be_proved_to_whoever_kept_a_head(story: Story) -> None:
    before = story.prove(act=story.seq("thing_2"), under=story.head(story.feeds[0]))
    story.rewrite("thing_2")
    with pytest.raises(FairframeError) as caught:
        story.prove(since=story.head(story.feeds[0]))
    assert caught.value.code == "proof.other_history"
    # the owner names only a size, so that what it signs hangs together, over the other past
    forged = story.prove(act=story.seq("thing_2"), under=story.head(story.feeds[0]).size)
    assert story.check(forged).holds, "in itself: a split view that nobody compares stays hidden"
    assert codes(story.check(forged, story.feeds[0])) == {"log.split_view"}
    assert codes(story.check(forged, before)) == {"log.split_view"}
    assert codes(story.check(forged, inside=story.lab)) == {"log.split_view"}


def test_what_two_heads_of_the_other_party_contradict_is_found_by_the_own_audit(story: Story) -> None:
    assert "audit.peer_heads" in codes(verify_audit(story.lab, []), True)
    head = story.head(story.feeds[0])
    with story.lab.write() as tx:
        (row,) = tx.rows(document.select().where(document.c.public_id == opened(story.feeds[1]).id))
        tx.insert(peer_head, party=row["sender"], tree_size=head.size, root="ee" * 32, document_id=row["id"])
    report = verify_audit(story.lab, [])
    assert codes(report) == {"audit.peer_split"}
    (found,) = [one for one in report.findings if one.code == "audit.peer_split" and "two histories" in one.text]
    assert opened(story.feeds[0]).id in found.text and opened(story.feeds[1]).id in found.text


def test_a_document_over_a_smaller_tree_than_the_one_before_shows_a_cut_tail(story: Story) -> None:
    last = opened(story.feeds[-1])
    smaller = Head(2, "aa" * 32)
    cut = replace(last, id="doc_" + "0" * 26, seq=last.seq + 1, audit_head=smaller)
    with story.lab.write() as tx:
        bundles.accept(tx, seal(cut, story.library.keys.signing_key()[1]), "feed")
    (found,) = [one for one in verify_audit(story.lab, []).findings if one.code == "audit.peer_split"]
    assert "its tree was cut" in found.text


def test_a_strangers_document_is_no_head_of_the_sender(story: Story) -> None:
    with story.lab.write() as tx:
        other = bundles.issue(tx, "usage_report", story.library.party_id, {})
    assert codes(story.check(story.prove(act=0), other)) == {"log.foreign"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({}, "proof.nothing"),
        ({"act": 10_000}, "proof.no_act"),
        ({"act": -1}, "proof.no_act"),
        ({"act": 8, "under": 4}, "proof.no_act"),
        ({"since": 5, "under": 4}, "proof.size"),
        ({"since": 10_000}, "proof.size"),
        ({"under": -1, "act": 0}, "proof.size"),
    ],
)
def test_what_cannot_be_proved_is_refused(story: Story, what: dict[str, Any], code: str) -> None:
    with pytest.raises(FairframeError) as caught:
        story.prove(**what)
    assert caught.value.code == code


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_damaged_tree_gives_no_proof(story: Story) -> None:
    with story.library.engine.begin() as conn:
        for (name,) in conn.execute(sa.text("select name from sqlite_master where type = 'trigger'")).all():
            conn.execute(sa.text(f"drop trigger {name}"))
        conn.execute(sa.text("update audit_node set hash = :h where level = 1 and idx = 0"), {"h": "00" * 32})
    with pytest.raises(FairframeError) as caught:
        story.prove(act=2)
    assert caught.value.code == "audit.nodes"
    with story.library.engine.begin() as conn:
        conn.execute(sa.text("delete from audit_node where level = 1 and idx = 0"))
    with pytest.raises(FairframeError) as caught:
        story.prove(act=2)
    assert caught.value.code == "audit.nodes"


def test_the_proof_itself_is_an_act(story: Story) -> None:
    proof = story.prove(act=0)
    (row,) = _on(story.library, opened(proof).id)
    assert row["kind"] == "document.sent"
    story.library.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    assert story.check(proof, inside=story.lab).holds


def _on(ws: Workspace, subject: str) -> list[Any]:
    with ws.read() as tx:
        return log_proofs.acts(tx, subject)
