"""What goes when clips are taken back: the end of an agreement, by term or breach, and the remedy withdraw."""

import json
from pathlib import Path

import pytest

from fairframe.core import dsse
from fairframe.core.bundle import read_payload
from fairframe.core.canonical import canonical, sha256_hex
from fairframe.core.errors import Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.core.time import DAY_MS
from fairframe.dataset import attest, feeds, leases, loader, revocation
from fairframe.dataset.tables import feed_entry, obligation
from fairframe.flows import deletion, opt_out
from fairframe.generation import guard
from fairframe.library import contributors
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, offers
from fairframe.training import registry, reported
from fairframe.training.tables import checkpoint, usage
from fairframe.training.usage_report import ItemUse, UsageReport

from ..dataset.conftest import PEOPLE, Loop, films, loop  # noqa: F401  (fixtures)

ANA, BEN, CHEN = PEOPLE


def trained(loop: Loop, name: str, *people: str, known: bool = True) -> Path:  # noqa: F811
    """A checkpoint of the lab that consumed the clips of some; the library hears of it unless it is not to know."""
    items = [one for who in people for one in loop.items_of(who)]
    weights, delivery = sha256_hex(name.encode()), loop.received.id  # type: ignore[union-attr]
    folder = loop.lab.root / "models" / name
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"w")
    said = UsageReport(
        checkpoint=new_id("ckp"),
        name=name,
        weights_hash=weights,
        lineage_digest="c" * 64,
        family=loop.agreement,
        delivery=delivery,
        method="measured",
        house_frames=0,
        items=tuple(ItemUse(one, 17) for one in sorted(items)),
    )
    with loop.lab.write() as tx:
        row_id = tx.insert(
            checkpoint,
            public_id=said.checkpoint,
            direction="own",
            party=loop.lab.party_id,
            name=name,
            weights_hash=weights,
            lineage="{}",
            family=loop.agreement,
            agreement=loop.agreement,
            delivery=delivery,
            folder=f"models/{name}",
            frames_seen=17 * len(items),
        )
        uses = [{"checkpoint_id": row_id, "source": delivery, "item": one, "frames": 17} for one in items]
        tx.insert_many(usage, [{**one, "method": "measured"} for one in uses])
    if known:
        with loop.library.write() as tx:
            reported.keep(tx, loop.lab.party_id, loop.agreement, said, b"{}")
    return folder


def fed(loop: Loop) -> feeds.Refreshed:  # noqa: F811
    with loop.library.write() as tx:
        data = feeds.issue(tx, loop.agreement)
    with loop.lab.write() as tx:
        return feeds.refresh(tx, data)


def attested(loop: Loop) -> bytes:  # noqa: F811
    with loop.lab.write() as tx:
        return deletion.attest(tx, loader.find_delivery(tx, "squares"))


def accepted(loop: Loop, data: bytes) -> attest.Attested:  # noqa: F811
    with loop.library.write() as tx:
        return deletion.accept(tx, data)


def ends(ws: Workspace) -> dict[str, list[str]]:
    with ws.read() as tx:
        return {str(row["name"]): [e["kind"] for e in registry.events(tx, row["id"])] for row in registry.listing(tx)}


def due(loop: Loop) -> list[Row]:  # noqa: F811
    with loop.library.read() as tx:
        return list(tx.rows(obligation.select().order_by(obligation.c.id)))


def test_the_feed_after_the_term_takes_back_clips_and_models(loop: Loop) -> None:  # noqa: F811
    loop.to_lab()
    folder = trained(loop, "harbor", ANA)
    with loop.library.read() as tx:
        found = agreements.find(tx, loop.agreement)
    for days, entries in ((364, 0), (369, 8), (369, 0)):
        loop.lab.clock.now = found.starts_ms + days * DAY_MS  # type: ignore[attr-defined]
        assert fed(loop).entries == entries
    assert len(due(loop)) == 8
    # from the day on which it ended, not from the day on which the library said so
    assert {row["due_ms"] for row in due(loop)} == {found.ends_ms + 30 * DAY_MS}
    data = attested(loop)
    assert not folder.exists()
    assert ends(loop.lab) == {"harbor": ["deleted"]}
    done = accepted(loop, data)
    assert (done.items, done.late, len(done.body.models)) == (8, 0, 1)
    assert ends(loop.library) == {"harbor": ["deleted"]}
    assert not accepted(loop, data).new
    assert attested(loop) == data, "a lab that lost the file can still show it"


def test_before_anything_is_due_there_is_nothing_to_attest(loop: Loop) -> None:  # noqa: F811
    loop.to_lab()
    with pytest.raises(Refused, match="nothing"):
        attested(loop)


def test_a_breach_reaches_the_lab_with_the_feed(loop: Loop) -> None:  # noqa: F811
    loop.to_lab()
    trained(loop, "harbor", ANA, BEN)
    with loop.library.write() as tx:
        agreements.terminate(tx, loop.agreement, "they sold clips")
        with pytest.raises(Refused):
            leases.issue(tx, feeds.deliveries_of(tx, "out", loop.agreement)[0])
    done = fed(loop)
    assert (done.entries, done.leases) == (8, 0)
    with loop.lab.read() as tx:
        found = agreements.find(tx, loop.agreement)
        assert found.state(tx.now_ms) == "terminated", "so neither loader nor guard lets anything through"
        reasons = {row["reason"] for row in tx.rows(feed_entry.select())}
    assert reasons == {revocation.ENDED}
    with pytest.raises(Refused):
        loader.open_delivery(loop.lab, "squares")
    assert accepted(loop, attested(loop)).items == 8


def test_an_upgrade_in_force_keeps_what_was_delivered_before(loop: Loop) -> None:  # noqa: F811
    loop.to_lab()
    first = loop.agreement
    loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    second = loop.agree(first, "commercial")
    with loop.library.write() as tx:
        agreements.terminate(tx, first, "replaced")
        agreements.offer(tx, "research", lab_party=loop.lab.party_id, fee=agreements.find(tx, first).fee)
    assert fed(loop).entries == 0
    with loop.library.write() as tx:
        agreements.offer(
            tx, "research", lab_party=loop.lab.party_id, fee=agreements.find(tx, first).fee, upgrade_of=second
        )
        agreements.terminate(tx, second, "breach")
    assert fed(loop).entries == 8, "an upgrade that nobody signed keeps nothing"


def strict(loop: Loop) -> None:  # noqa: F811
    """To the lab under an agreement whose remedy is withdraw."""
    text = (offers.SHIPPED / "research.toml").read_text()
    text = text.replace('name = "research"', 'name = "strict"').replace('"stop_at_next_epoch"', '"withdraw"')
    folder = loop.library.root / "offers"
    folder.mkdir()
    (folder / "strict.toml").write_text(text)
    loop.agree(offer="strict")
    loop.build()
    loop.deliver()
    loop.receive()


def test_under_withdraw_the_models_go_that_consumed_the_clips(loop: Loop) -> None:  # noqa: F811
    strict(loop)
    theirs, others = trained(loop, "with-ben", ANA, BEN), trained(loop, "without", ANA, CHEN)
    unknown = trained(loop, "unreported", BEN, known=False)
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, BEN))
    fed(loop)
    data = attested(loop)
    assert [folder.exists() for folder in (theirs, others, unknown)] == [False, True, False]
    assert ends(loop.lab) == {"with-ben": ["deleted"], "without": [], "unreported": ["deleted"]}
    assert len(accepted(loop, data).body.models) == 2
    assert ends(loop.library) == {"with-ben": ["deleted"], "without": []}


def test_under_withdraw_a_model_is_used_only_with_a_young_feed(loop: Loop) -> None:  # noqa: F811
    strict(loop)
    trained(loop, "harbor", ANA)

    def used() -> None:
        with loop.lab.read() as tx:
            guard.permits(tx, registry.find(tx, "harbor"), "research")

    used()
    loop.lab.clock.advance(8 * DAY_MS)  # type: ignore[attr-defined]
    with pytest.raises(Refused) as caught:
        used()
    assert [reason.split(":")[0] for reason in caught.value.reasons] == ["guard.feed_age"]
    assert "rights refresh" in caught.value.remedy
    fed(loop)
    used()


def test_other_remedies_leave_finished_models(loop: Loop) -> None:  # noqa: F811
    loop.to_lab()
    folder = trained(loop, "harbor", ANA)
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    assert accepted(loop, attested(loop)).body.models == ()
    loop.lab.clock.advance(8 * DAY_MS)  # type: ignore[attr-defined]
    with loop.lab.read() as tx:
        assert guard.permits(tx, registry.find(tx, "harbor"), "research"), "a finished model stays: the feed may be old"
    assert folder.exists() and ends(loop.lab) == {"harbor": []}


def test_frames_of_clips_go_with_the_clips_from_models_that_stay(loop: Loop) -> None:  # noqa: F811
    loop.to_lab()
    folder, models = trained(loop, "harbor", ANA), loop.lab.root / "models"
    kept = {"mine": loop.received.id, "other": new_id("dlv")}  # type: ignore[union-attr]
    for place in (folder, *(models / f".{name}.part" for name in kept)):
        (place / "validation").mkdir(parents=True)
        (place / "validation" / "step-000010.png").write_bytes(b"frames")
    for name, delivery in kept.items():
        said = json.dumps({"checkpoint": "ckp", "arguments": {"dataset": delivery}})
        (models / f".{name}.part" / "session.json").write_text(said)
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    attested(loop)
    assert (folder / "weights").exists() and not (folder / "validation").exists()
    assert not (models / ".mine.part" / "validation").exists()
    assert (models / ".other.part" / "validation").exists()


def test_a_model_that_is_not_named_is_missed(loop: Loop) -> None:  # noqa: F811
    strict(loop)
    trained(loop, "harbor", ANA)
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    with loop.lab.write() as tx:
        data = attest.attest(tx, "squares")
    with pytest.raises(VerificationError) as caught:
        accepted(loop, data)
    assert caught.value.code == "attest.model_missing"
    value = read_payload(dsse.read_envelope(data).payload).to_json()
    with loop.lab.read() as tx:
        row = registry.find(tx, "harbor")
    value["body"]["models"] = [{"checkpoint": row["public_id"], "weights_hash": row["weights_hash"]}]
    _, key = loop.lab.keys.signing_key()
    assert accepted(loop, dsse.sign(dsse.read_envelope(data).payload_type, canonical(value), key)).new
