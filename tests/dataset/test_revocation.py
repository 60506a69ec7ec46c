"""Feeds, leases, what the loader makes of them, deletion and attestation."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairframe.core import dsse
from fairframe.core.attestation_body import STATEMENT_KEPT, Settled
from fairframe.core.beside import write_lines
from fairframe.core.bundle import read_payload
from fairframe.core.canonical import canonical, parse
from fairframe.core.errors import BadDocument, Conflict, FairframeError, Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.dataset import attest, attested, feeds, handover, leases, listing, loader, revocation, sweep
from fairframe.dataset.obligations import open_obligations, owe
from fairframe.dataset.papers import Papers
from fairframe.dataset.tables import delivery, feed_entry, obligation, received_item
from fairframe.flows import opt_out
from fairframe.flows.newer_feed import with_newer_feed
from fairframe.flows.verify import trust_of
from fairframe.library import contributors, facts, releases
from fairframe.library.tables import asset
from fairframe.platform import bundles
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, consent, holds
from fairframe.verify.registry import verify

from .conftest import PEOPLE, Loop


def leave(loop: Loop, name: str) -> opt_out.OptedOut:
    with loop.library.write() as tx:
        return opt_out.opt_out(tx, contributors.find(tx, name), "private words")


def feed(loop: Loop) -> Papers:
    with loop.library.write() as tx:
        return feeds.issue(tx, loop.agreement)


def refresh(loop: Loop, data: Papers) -> feeds.Refreshed:
    with loop.lab.write() as tx:
        return feeds.refresh(tx, data)


def advance(loop: Loop, days: float) -> None:
    loop.lab.clock.advance(int(days * DAY_MS))  # type: ignore[attr-defined]


def closed(loop: Loop) -> Refused:
    with pytest.raises(Refused) as caught:
        loader.open_delivery(loop.lab, "squares")
    return caught.value


def revoked_everywhere(ws: Workspace) -> set[str]:
    with ws.read() as tx:
        entries = {row["item"] for row in tx.rows(feed_entry.select())}
        assert entries == {row["item"] for row in tx.rows(obligation.select())}
    return entries


@pytest.mark.usefixtures("at_lab")
def test_verifying_a_folder_tells_of_what_was_taken_back_since(loop: Loop) -> None:
    folder, trust = loop.tmp / "delivery", trust_of(loop.lab, [])
    report = verify(folder, trust, loop.lab.clock())
    assert report.holds, [one for one in report.findings if not one.ok]
    theirs = loop.items_of(PEOPLE[0])
    assert with_newer_feed(report, folder, loop.lab).findings[-1].text.startswith("0 more items")
    leave(loop, PEOPLE[0])
    refresh(loop, feed(loop))
    for ws in (loop.lab, loop.library):
        (told,) = with_newer_feed(report, folder, ws).findings[len(report.findings) :]
        assert told.code == "delivery.newer_feed" and told.text.startswith(f"{len(theirs)} more items")


@pytest.mark.usefixtures("at_lab")
def test_one_contributors_no_takes_their_items_only(loop: Loop) -> None:
    before = loader.open_delivery(loop.lab, "squares")
    theirs = set(loop.items_of(PEOPLE[0]))
    (back,) = leave(loop, PEOPLE[0]).revoked
    assert (back.delivery, back.items, back.first, back.last) == (loop.delivered.id, 4, 1, 4)  # type: ignore[union-attr]
    assert revoked_everywhere(loop.library) == theirs
    assert before.admitted() == {one.id for one in before.items}, "the lab does not know yet"
    done = refresh(loop, feed(loop))
    assert (done.new, done.entries, done.leases) == (True, 4, 1)
    assert revoked_everywhere(loop.lab) == theirs
    before.check()
    assert before.admitted() == {one.id for one in before.items} - theirs
    after = loader.open_delivery(loop.lab, "squares")
    assert {one.id for one in after.items} == {one.id for one in before.items} - theirs
    assert {clip.item for clip in before.clips(64)} == {one.id for one in after.items}
    with loop.lab.read() as tx:
        due = open_obligations(tx, loop.received.id, "in")  # type: ignore[union-attr]
        shown = listing.show(tx, "squares")
    assert {row["due_ms"] for row in due} == {loop.lab.clock() + 30 * DAY_MS}
    assert shown["closed_because"] == []
    assert set(shown["taken_back"]) == {entry["item"] for entry in shown["to_delete"]} == theirs


@pytest.mark.usefixtures("at_lab")
def test_the_reason_stays_in_the_library(loop: Loop) -> None:
    leave(loop, PEOPLE[0])
    papers = feed(loop)
    told = dsse.read_envelope(papers.envelope).payload + papers.items.read_bytes()
    assert b"private words" not in told
    assert b"the contributor opted out" in told


@pytest.mark.usefixtures("at_lab")
def test_everybody_leaves(loop: Loop) -> None:
    for name in PEOPLE:
        leave(loop, name)
    refresh(loop, feed(loop))
    assert closed(loop).code == "delivery.empty"


@pytest.mark.usefixtures("at_lab")
def test_lease_and_feed_run_out_and_a_feed_renews_both(loop: Loop) -> None:
    opened = loader.open_delivery(loop.lab, "squares")
    advance(loop, 7)
    loader.open_delivery(loop.lab, "squares")
    advance(loop, 0.001)
    refused = closed(loop)
    assert [reason.split(":")[0] for reason in refused.reasons] == ["feed.old"]
    assert "rights refresh feed.json" in refused.remedy
    with pytest.raises(Refused):
        opened.check()
    with pytest.raises(Refused):
        next(opened.clips(64))
    advance(loop, 23)
    assert [reason.split(":")[0] for reason in closed(loop).reasons] == ["lease.ended", "feed.old"]
    refresh(loop, feed(loop))
    opened.check()
    loader.open_delivery(loop.lab, "squares")


@pytest.mark.usefixtures("at_lab")
def test_a_clock_that_is_turned_back_opens_nothing(loop: Loop) -> None:
    advance(loop, 31)
    late = feed(loop)
    with loop.library.write() as tx:
        other = leases.newest(tx, loop.delivered.id)  # type: ignore[union-attr]
        assert other is not None
    with loop.lab.write() as tx:  # the lab signs something of its own at the later time, and takes no feed
        bundles.issue(tx, "usage_report", loop.library.party_id, {})
    advance(loop, -31)
    assert [reason.split(":")[0] for reason in closed(loop).reasons] == ["lease.ended", "feed.old"]
    advance(loop, 31)
    refresh(loop, late)
    loader.open_delivery(loop.lab, "squares")


@pytest.mark.usefixtures("at_lab")
def test_an_older_feed_is_refused_and_the_same_one_changes_nothing(loop: Loop) -> None:
    first, second = feed(loop), feed(loop)
    leave(loop, PEOPLE[1])
    third = feed(loop)
    assert refresh(loop, second).new
    with pytest.raises(VerificationError) as caught:
        refresh(loop, first)
    assert caught.value.code == "bundle.stale"
    assert refresh(loop, third).entries == 2
    assert not refresh(loop, third).new
    with pytest.raises(VerificationError) as caught:
        refresh(loop, second)
    assert caught.value.code == "feed.stale"
    assert len(revoked_everywhere(loop.lab)) == 2
    # the delivery's own papers are older now; taking it in again does no harm and brings nothing back
    assert not loop.receive().new
    assert len(revoked_everywhere(loop.lab)) == 2


def body_of(papers: Papers) -> dict[str, Any]:
    return read_payload(dsse.read_envelope(papers.envelope).payload).body


def lines_of(papers: Papers) -> list[bytes]:
    return papers.items.read_bytes().splitlines()


def other_list(loop: Loop, lines: list[bytes]) -> tuple[Path, dict[str, Any]]:
    """Another list on disk, and what a document has to say of it."""
    path = loop.tmp / f"{len(list(loop.tmp.iterdir()))}.items.jsonl"
    with path.open("wb") as out:
        said = write_lines(out, lines)
    return path, said.to_json()


def forged(loop: Loop, papers: Papers, lines: list[bytes] | None = None, **changes: Any) -> Papers:
    """The feed as the library would sign it with other contents, under the next number."""
    bundle = read_payload(dsse.read_envelope(papers.envelope).payload)
    path = papers.items
    if lines is not None:
        path, changes["list"] = other_list(loop, lines)
    value = bundle.to_json()
    value["id"], value["seq"] = "fed_" + "1" * 26, bundle.seq + 1
    value["body"] = {**bundle.body, **changes}
    _, key = loop.library.keys.signing_key()
    return Papers(dsse.sign(dsse.read_envelope(papers.envelope).payload_type, canonical(value), key), path)


@pytest.mark.usefixtures("at_lab")
def test_a_feed_that_takes_back_an_entry_is_refused(loop: Loop) -> None:
    leave(loop, PEOPLE[1])
    data = feed(loop)
    refresh(loop, data)
    (line,) = lines_of(data)
    run: Any = parse(line)
    assert len(run["items"]) == 2
    another = canonical({**run, "reason": "another"})
    backwards = canonical({**run, "items": run["items"][::-1]})
    shorter = canonical({**run, "items": run["items"][:1]})
    for lines, entries in (([], 0), ([shorter], 1), ([another], 2), ([backwards], 2)):
        with pytest.raises(Conflict) as caught:
            refresh(loop, forged(loop, data, lines, entries=entries))
        assert caught.value.code == "feed.rewritten"
    more = canonical({**run, "items": [new_id("itm")]})
    strange = canonical({**run, "items": [new_id("itm")], "delivery": new_id("dlv")})
    for lines, entries in (([line, canonical({**run, "more": 1})], 4), ([line, more], 2), ([line, strange], 3)):
        with pytest.raises(BadDocument):
            refresh(loop, forged(loop, data, lines, entries=entries))
    with pytest.raises(BadDocument):
        refresh(loop, forged(loop, data, family="agr_" + "0" * 26))
    stranger = base64.b64encode(data.envelope).decode()
    with pytest.raises(BadDocument):
        refresh(loop, forged(loop, data, leases=[stranger]))
    with pytest.raises(BadDocument):
        refresh(loop, forged(loop, data, leases=["%%%"]))
    assert len(revoked_everywhere(loop.lab)) == 2
    assert refresh(loop, forged(loop, data, [line, more], entries=3)).entries == 1


@pytest.mark.usefixtures("at_lab")
def test_a_feed_is_taken_with_its_own_list_only(loop: Loop) -> None:
    leave(loop, PEOPLE[1])
    older = feed(loop)
    advance(loop, 1)
    leave(loop, PEOPLE[0])
    newer = feed(loop)
    first, second = lines_of(newer)
    swaps = {
        "the list of the feed before": older.items.read_bytes(),
        "reordered": second + b"\n" + first + b"\n",
        "cut": first + b"\n",
        "cut within a line": newer.items.read_bytes()[:-20],
        "nothing": b"",
        "longer": newer.items.read_bytes() + first + b"\n",
    }
    for what, content in swaps.items():
        path = loop.tmp / "swapped.items.jsonl"
        path.write_bytes(content)
        with pytest.raises(VerificationError) as caught:
            refresh(loop, Papers(newer.envelope, path))
        assert caught.value.code == "list.changed", what
    with pytest.raises(VerificationError) as caught:
        refresh(loop, Papers(newer.envelope, loop.tmp / "none.items.jsonl"))
    assert caught.value.code == "list.missing"
    assert revoked_everywhere(loop.lab) == set(), "nothing of them was taken"
    assert refresh(loop, newer).entries == 6


@pytest.mark.usefixtures("at_lab")
def test_a_feed_speaks_of_its_own_deliveries_only(loop: Loop) -> None:
    hand_over_two(loop, "research")  # another family
    own = next(row for row in deliveries_in(loop) if row["family"] == loop.agreement)
    other = next(row for row in deliveries_in(loop) if row["family"] != loop.agreement)
    data = feed(loop)
    with pytest.raises(VerificationError) as caught:
        refresh(loop, forged(loop, data, deliveries=[own["public_id"], other["public_id"]]))
    assert caught.value.code == "feed.stranger"


@pytest.mark.usefixtures("at_lab")
def test_a_delivery_that_another_feed_spoke_of_before_it_came_is_not_taken(loop: Loop) -> None:
    leave(loop, PEOPLE[1])
    data, first = feed(loop), loop.agreement
    loop.agree(offer="research")  # another family
    loop.build("again")
    theirs = loop.deliver("again", "second").id
    run: Any = parse(lines_of(data)[0])
    strange = canonical({**run, "items": [new_id("itm")], "delivery": theirs})
    body = body_of(data)
    named = [*body["deliveries"], theirs]
    assert refresh(loop, forged(loop, data, [*lines_of(data), strange], entries=3, deliveries=named)).entries == 3
    with pytest.raises(VerificationError) as caught:
        loop.receive("second")
    assert caught.value.code == "feed.stranger" and first in str(caught.value)
    assert [row["name"] for row in deliveries_in(loop)] == ["squares"]


@pytest.mark.usefixtures("at_lab")
def test_deletion_is_attested_and_the_library_compares(loop: Loop) -> None:
    with loop.lab.write() as tx, pytest.raises(Refused) as caught:
        attest.attest(tx, "squares")
    assert caught.value.code == "attest.nothing"
    leave(loop, PEOPLE[0])
    refresh(loop, feed(loop))
    leave(loop, PEOPLE[1])  # the lab has not heard of this one yet
    hashes = {one.id: one.bytes_hash for one in loader.open_delivery(loop.lab, "squares").items}
    advance(loop, 3)
    theirs = set(loop.items_of(PEOPLE[0]))
    with loop.lab.write() as tx:
        data = attest.attest(tx, "squares")
    settled = [Settled.read(line) for line in lines_of(data)]
    assert {one.item for one in settled} == theirs and not any(one.kept_by for one in settled)
    assert "cannot see" in body_of(data)["statement"]
    for one in settled:
        assert not loop.lab.objects.exists(one.bytes_hash)
    assert all(loop.lab.objects.exists(key) for key in hashes.values())
    with loop.library.write() as tx:
        done = attested.accept(tx, data)
    assert (done.items, done.late, done.new) == (4, 0, True)
    with loop.library.write() as tx:
        assert not attested.accept(tx, data).new
        left = open_obligations(tx, loop.delivered.id, "out")  # type: ignore[union-attr]
    assert {row["item"] for row in left} == set(loop.items_of(PEOPLE[1]))
    with loop.lab.write() as tx:
        assert attest.attest(tx, "squares") == data
    # taking the directory in again does not bring deleted clips back
    loop.receive()
    assert not any(loop.lab.objects.exists(one.bytes_hash) for one in settled)
    refresh(loop, feed(loop))
    advance(loop, 40)
    with loop.lab.write() as tx:
        late = attest.attest(tx, "squares")
    shown = deliveries_out(loop)
    assert (shown["to_delete"], shown["not_attested"], shown["overdue"]) == (6, 2, 2)
    assert shown["due_at"] < to_rfc3339(loop.library.clock())
    now = loop.library.clock()
    for deleted_ms in (now - 42 * DAY_MS, now + 1):
        with pytest.raises(VerificationError) as caught, loop.library.write() as tx:
            attested.accept(tx, forged_word(loop, late, deleted_at=to_rfc3339(deleted_ms)))
        assert caught.value.code == "attest.time"
    back = forged_word(loop, late, deleted_at=to_rfc3339(now - 40 * DAY_MS))
    with loop.library.write() as tx:
        assert attested.accept(tx, back).late == 2, "the lab's own date does not make it timely"
    shown = deliveries_out(loop)
    assert (shown["to_delete"], shown["not_attested"], shown["overdue"], shown["due_at"]) == (6, 0, 0, None)


def deliveries_out(loop: Loop) -> dict[str, Any]:
    with loop.library.read() as tx:
        (one,) = listing.show(tx, "squares")["deliveries"]
    return one


def forged_word(loop: Loop, data: Papers, lines: list[bytes] | None = None, **changes: Any) -> Papers:
    """The lab's own attestation, signed again with other contents."""
    path = data.items
    if lines is not None:
        path, changes["list"] = other_list(loop, lines)
    value = read_payload(dsse.read_envelope(data.envelope).payload).to_json()
    _, key = loop.lab.keys.signing_key()
    other = canonical({**value, "body": {**value["body"], **changes}})
    return Papers(dsse.sign(dsse.read_envelope(data.envelope).payload_type, other, key), path)


@pytest.mark.usefixtures("at_lab")
@pytest.mark.parametrize("limit", ["MAX_ITEMS", "MAX_DELIVERIES"])
def test_more_is_not_delivered_than_one_feed_could_take_back(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    loop.build("again")
    loop.build("once-more")
    most = {"MAX_ITEMS": 16, "MAX_DELIVERIES": 2}[limit]
    monkeypatch.setattr(handover, limit, most)
    loop.deliver("again", "second")
    with pytest.raises(Refused) as caught:
        loop.deliver("once-more", "third")
    assert caught.value.code == "delivery.too_many"
    assert not (loop.tmp / "third").exists()


@pytest.mark.usefixtures("at_lab")
def test_what_looks_like_an_id_is_never_a_name(loop: Loop) -> None:
    first = loop.received.id  # type: ignore[union-attr]
    loop.build(first)
    loop.deliver(first, "second")
    second = loop.receive("second").id
    with loop.lab.read() as tx:
        assert loader.find_delivery(tx, first)["name"] == "squares"
        assert loader.find_delivery(tx, second)["name"] == first


@pytest.mark.usefixtures("at_lab")
def test_an_attestation_of_other_items_is_refused(loop: Loop) -> None:
    leave(loop, PEOPLE[0])
    refresh(loop, feed(loop))
    with loop.lab.write() as tx:
        data = attest.attest(tx, "squares")
    lines = lines_of(data)
    kept = Settled(loop.items_of(PEOPLE[1])[0], "0" * 64).line()
    other_bytes = Settled(Settled.read(lines[0]).item, "0" * 64).line()
    cases: list[tuple[list[bytes] | None, dict[str, Any], str]] = [
        (lines[:-1], {"items": 3}, "attest.missing"),
        ([*lines, kept], {"items": 5}, "attest.not_due"),
        ([other_bytes, *lines[1:]], {}, "attest.not_due"),
        ([*lines, lines[0]], {"items": 5}, "attest.twice"),
        (lines[:-1], {}, "document.field"),
        ([*lines[1:], b"{}"], {}, "document.field"),
        (None, {"feed_entries": 0}, "attest.not_due"),
        (None, {"statement": "all is well"}, "document.field"),
        (None, {"delivery": "dlv_" + "0" * 26}, "delivery.missing"),
    ]
    for some, changes, code in cases:
        with pytest.raises(FairframeError) as caught, loop.library.write() as tx:
            attested.accept(tx, forged_word(loop, data, some, **changes))
        assert caught.value.code == code
    swapped, _ = other_list(loop, lines[::-1])
    with pytest.raises(VerificationError) as caught, loop.library.write() as tx:
        attested.accept(tx, Papers(data.envelope, swapped))
    assert caught.value.code == "list.changed"
    with loop.library.write() as tx:
        assert attested.accept(tx, data).items == 4


def hand_over_two(loop: Loop, offer: str) -> None:
    """The same clips in "squares" and, under another agreement, in "again"."""
    loop.agree(loop.agreement if offer == "commercial" else None, offer)
    loop.build("again")
    loop.deliver("again", "second")
    loop.receive("second")


def settled(loop: Loop, name: str) -> tuple[Papers, attested.Attested]:
    with loop.lab.write() as tx:
        data = attest.attest(tx, name)
    with loop.library.write() as tx:
        return data, attested.accept(tx, data)


@pytest.mark.usefixtures("at_lab")
def test_bytes_that_another_delivery_holds_stay_and_are_not_said_to_be_deleted(loop: Loop) -> None:
    hand_over_two(loop, "research")  # another family
    first = next(r["agreement"] for r in deliveries_in(loop) if r["name"] == "squares")
    leave(loop, PEOPLE[0])
    second, loop.agreement = loop.agreement, first
    refresh(loop, feed(loop))
    data, done = settled(loop, "squares")
    assert (done.items, done.kept) == (0, 4)
    named = [Settled.read(line) for line in lines_of(data)]
    assert all(one.kept_by and loop.lab.objects.exists(one.bytes_hash) for one in named)
    assert "still there" in body_of(data)["statement"]
    loop.agreement = second
    refresh(loop, feed(loop))
    data, done = settled(loop, "again")
    assert (done.items, done.kept) == (4, 0)
    assert not any(loop.lab.objects.exists(Settled.read(line).bytes_hash) for line in lines_of(data))


@pytest.mark.usefixtures("at_lab")
def test_two_deliveries_cannot_vouch_for_each_other(loop: Loop) -> None:
    hand_over_two(loop, "research")  # another family
    first, second = deliveries_in(loop)
    leave(loop, PEOPLE[0])
    for row in (first, second):
        loop.agreement = row["agreement"]
        refresh(loop, feed(loop))
    with loop.lab.write() as tx:
        words = [attest.attest(tx, row["name"]) for row in (first, second)]

    def kept(word: Papers, by: str) -> Papers:
        lines = [replace(Settled.read(line), kept_by=by).line() for line in lines_of(word)]
        return forged_word(loop, word, lines, items=0, kept=4, statement=STATEMENT_KEPT)

    with loop.library.write() as tx:
        assert attested.accept(tx, kept(words[0], second["public_id"])).kept == 4, "owed under the second still"
    with pytest.raises(VerificationError) as caught, loop.library.write() as tx:
        attested.accept(tx, kept(words[1], first["public_id"]))
    assert caught.value.code == "attest.not_kept"
    with loop.library.write() as tx:
        assert attested.accept(tx, words[1]).items == 4


@pytest.mark.usefixtures("at_lab")
def test_what_was_kept_under_a_delivery_before_it_was_deleted_there_may_be_told_later(loop: Loop) -> None:
    hand_over_two(loop, "research")
    first, second = deliveries_in(loop)
    leave(loop, PEOPLE[0])
    words: list[Papers] = []
    for row in (first, second):
        loop.agreement = row["agreement"]
        refresh(loop, feed(loop))
        with loop.lab.write() as tx:
            words.append(attest.attest(tx, row["name"]))
    with loop.library.write() as tx:
        assert [attested.accept(tx, word).kept for word in reversed(words)] == [0, 4]


@pytest.mark.usefixtures("at_lab")
def test_nothing_is_kept_under_a_delivery_whose_time_is_over(loop: Loop) -> None:
    with loop.library.read() as tx:
        term = agreements.find(tx, loop.agreement).terms.term_days
    advance(loop, term - 10)
    loop.agree(offer="research")
    loop.build("again")
    loop.deliver("again", "second")
    loop.receive("second")
    over, other = deliveries_in(loop)
    advance(loop, 11)
    leave(loop, PEOPLE[0])
    refresh(loop, feed(loop))
    with loop.lab.write() as tx:
        data = attest.attest(tx, other["name"])
    named = [Settled.read(line) for line in lines_of(data)]
    assert len(named) == 4 and not any(one.kept_by for one in named), "the first one's agreement has ended"
    lines = [replace(one, kept_by=over["public_id"]).line() for one in named]
    with pytest.raises(VerificationError) as caught, loop.library.write() as tx:
        attested.accept(tx, forged_word(loop, data, lines, items=0, kept=4, statement=STATEMENT_KEPT))
    assert caught.value.code == "attest.not_kept"
    with loop.library.write() as tx:
        assert attested.accept(tx, data).items == 4


def deliveries_in(loop: Loop) -> list[Any]:
    with loop.lab.read() as tx:
        return list(tx.rows(delivery.select().where(delivery.c.direction == "in")))


def test_a_narrow_no_does_not_keep_a_lab_from_settling_the_rest(loop: Loop, tmp_path: Path) -> None:
    with loop.library.write() as tx:
        for name in PEOPLE:
            consent.set(tx, contributor=contributors.find(tx, name), effect="allow", purpose="commercial")
    loop.to_lab()
    hand_over_two(loop, "commercial")
    with loop.library.write() as tx:
        _, taken = opt_out.deny(tx, contributors.find(tx, PEOPLE[0]), "commercial")
    theirs = set(loop.items_of(PEOPLE[0]))
    assert [one.items for one in taken] == [4], "the research delivery keeps them by right"
    leave(loop, PEOPLE[1])
    refresh(loop, feed(loop))
    research, commercial = deliveries_in(loop)
    with loop.lab.write() as tx:
        data = attest.attest(tx, "again")
    named = [Settled.read(line) for line in lines_of(data)]
    kept, gone = [one for one in named if one.kept_by], [one for one in named if not one.kept_by]
    assert len(kept) == 4 and {one.item for one in kept} < theirs
    assert {one.kept_by for one in kept} == {research["public_id"]}
    assert all(loop.lab.objects.exists(one.bytes_hash) for one in kept)
    assert len(gone) == 2
    assert not any(loop.lab.objects.exists(one.bytes_hash) for one in gone)
    data.write(tmp_path / "attestation.json")
    assert verify(tmp_path / "attestation.json", trust_of(loop.library, []), loop.library.clock()).holds
    for some, counts, code in (
        ([*kept[1:], *gone], (2, 3), "attest.missing"),
        ([*kept, kept[0], *gone], (2, 5), "attest.twice"),
        ([replace(kept[0], kept_by=commercial["public_id"]), *kept[1:], *gone], (2, 4), "attest.not_kept"),
        ([replace(kept[0], kept_by="dlv_" + "0" * 26), *kept[1:], *gone], (2, 4), "attest.not_kept"),
        ([*kept, replace(gone[0], kept_by=research["public_id"]), gone[1]], (1, 5), "attest.not_kept"),
        (named, (3, 3), "attest.kept"),
    ):
        other = forged_word(loop, data, [one.line() for one in some], items=counts[0], kept=counts[1])
        with pytest.raises(FairframeError) as caught, loop.library.write() as tx:
            attested.accept(tx, other)
        assert caught.value.code == code
    with loop.library.write() as tx:
        done = attested.accept(tx, data)
        assert open_obligations(tx, commercial["public_id"], "out") == []
    assert (done.items, done.kept) == (2, 4)
    _, done = settled(loop, "squares")
    assert (done.items, done.kept) == (2, 0)
    opened = loader.open_delivery(loop.lab, "squares")
    assert len(opened.items) == len(list(opened.clips(64))) == 6


@pytest.mark.usefixtures("at_lab")
def test_what_is_denied_without_an_act_of_its_own_is_swept_up(loop: Loop) -> None:
    with loop.library.write() as tx:
        row = next(r for r in tx.rows(asset.select()) if r["filename"] == "chen.mp4")
        placed = holds.place(tx, row, code="dispute", reason="x")
        assert placed
    with loop.library.write() as tx:
        assert [one.items for one in sweep.sweep(tx, loop.agreement)] == [2]
    assert revoked_everywhere(loop.library) == set(loop.items_of(PEOPLE[2]))
    with loop.library.write() as tx:
        assert sweep.sweep(tx, loop.agreement) == []


def film_of(loop: Loop, name: str) -> Any:
    with loop.library.read() as tx:
        return next(r for r in tx.rows(asset.select()) if r["filename"] == name)


@pytest.mark.usefixtures("at_lab")
def test_a_later_delivery_does_not_renew_the_lease_of_what_is_on_hold(loop: Loop) -> None:
    held = set(loop.items_of(PEOPLE[2]))
    with loop.library.write() as tx:
        holds.place(tx, film_of(loop, "chen.mp4"), code="dispute", reason="x")
    loop.build("more")
    loop.deliver("more", "second")
    loop.receive("second")
    assert {one.id for one in loader.open_delivery(loop.lab, "squares").items}.isdisjoint(held)
    assert revoked_everywhere(loop.lab) == held


@pytest.mark.parametrize("instead", ["nothing", "no training", "another"])
def test_what_lost_its_model_release_is_taken_back(loop: Loop, instead: str) -> None:
    row = film_of(loop, "chen.mp4")
    with loop.library.write() as tx:
        facts.say(tx, row, "people", "yes")
        paper = releases.add(tx, row, "model", b"I agree, and to training too.", True)
    loop.to_lab()
    theirs = set(loop.items_of(PEOPLE[2]))
    assert len(theirs) == 2
    assert refresh(loop, feed(loop)).entries == 0
    with loop.library.write() as tx:
        releases.revoke(tx, paper, row)
        if instead != "nothing":
            releases.add(tx, row, "model", b"I agree.", instead == "another")
    refresh(loop, feed(loop))
    assert revoked_everywhere(loop.lab) == (set() if instead == "another" else theirs)


@pytest.mark.usefixtures("at_lab")
def test_what_only_asks_for_review_is_not_taken_back(loop: Loop) -> None:
    with loop.library.write() as tx:
        facts.say(tx, film_of(loop, "chen.mp4"), "people", "yes")
    assert refresh(loop, feed(loop)).entries == 0


@pytest.mark.usefixtures("at_lab")
def test_grandfather_lets_a_training_go_on_with_what_it_opened(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = loader.open_delivery(loop.lab, "squares")
    terms = opened.agreement.terms.model_copy(update={"opt_out_remedy": "grandfather"})
    kind = replace(opened, agreement=replace(opened.agreement, terms=terms))
    leave(loop, PEOPLE[0])
    refresh(loop, feed(loop))
    assert len(opened.admitted()) == 4
    assert len(kind.admitted()) == 8
    assert len(loader.open_delivery(loop.lab, "squares").items) == 4
    with loop.lab.write() as tx:
        attest.attest(tx, "squares")
    assert len(kind.admitted()) == 4, "what was deleted cannot be gone on with"


def test_each_item_to_delete_is_looked_up_and_not_searched_for(lab: Workspace) -> None:
    """Of a delivery of the most items, a search per item took hours."""
    if lab.engine.dialect.name != "sqlite":
        pytest.skip("its steps cannot be counted")
    some: dict[str, Any] = {"name": "x", "agreement": "a", "family": "f", "party": "p", "root": "r", "envelope": "{}"}
    clip = {"frames": 1, "duration_ms": 1, "caption": "", "grp": "g", "split": "train", "line": "{}"}

    def steps(count: int) -> int:
        place, items, done = new_id("dlv"), [new_id("itm") for _ in range(count)], [0]

        def counted() -> int:
            done[0] += 1
            return 0

        with lab.write() as tx:
            row = {"public_id": place, "direction": "in", "release": place, "items": count, "duration_ms": 1, **some}
            key = tx.insert(delivery, **row)
            named = {"delivery_id": key, "asset_pseudonym": "p", "contributor_pseudonym": "c", **clip}
            rows = [{"item": one, "idx": n, "bytes_hash": one, **named} for n, one in enumerate(items)]
            tx.insert_many(received_item, rows)
            raw: Any = tx.conn.connection.driver_connection
            raw.set_progress_handler(counted, 100)
            start = revocation.last_entry(tx, "in", "f") + 1
            entry = {"direction": "in", "family": "f", "delivery": place, "reason": "r", "effective_ms": 0}
            tx.insert_many(feed_entry, [{**entry, "seq": n, "item": one} for n, one in enumerate(items, start)])
            owe(tx, "in", "p", "f", start - 1, 0)
            found = tx.row(delivery.select().where(delivery.c.public_id == place))
            assert found is not None and len(attest.due_of(tx, found).items) == count
            raw.set_progress_handler(None, 0)
        return done[0]

    few = steps(100)
    assert steps(800) < 12 * few
