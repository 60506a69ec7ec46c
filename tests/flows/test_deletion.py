"""What goes when clips are taken back: the end of an agreement, by term or breach, and the remedy withdraw."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fairframe.core import dsse
from fairframe.core.ancestors import AncestorRef
from fairframe.core.bundle import read_payload
from fairframe.core.canonical import canonical, sha256_hex
from fairframe.core.errors import Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.core.usage_report_body import ItemUse, UsageReport
from fairframe.dataset import attest, feeds, leases, loader, revocation
from fairframe.dataset import attested as taken
from fairframe.dataset.papers import Papers
from fairframe.dataset.tables import feed_entry, obligation
from fairframe.flows import deletion, opt_out, upgrade
from fairframe.generation import grants
from fairframe.library import contributors, facts
from fairframe.library.tables import asset
from fairframe.platform import bundles
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, consent, offers
from fairframe.training import permissions, registry, reported
from fairframe.training.tables import ancestor, checkpoint, usage

from ..begun import Place, step
from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)

ANA, BEN, CHEN = PEOPLE


def trained(
    loop: Loop,  # noqa: F811
    name: str,
    *people: str,
    known: bool = True,
    of: dict[str, str] | None = None,
) -> Path:
    """A checkpoint of the lab that consumed the clips of some; the library hears of it unless it is not to know.

    of: names of its ancestors, with their roles."""
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
        ancestors=tuple(
            AncestorRef("checkpoint", one, sha256_hex(one.encode()), "theirs", "disclosed", 0, 1, role)
            for one, role in (of or {}).items()
        ),
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
        tx.insert_many(ancestor, registry.ancestor_rows(row_id, said.ancestors))
        envelope = bundles.issue(tx, "usage_report", loop.library.party_id, said.to_body())
    if known:
        with loop.library.write() as tx:
            reported.keep(tx, loop.lab.party_id, loop.agreement, said, envelope)
    return folder


def fed(loop: Loop) -> feeds.Refreshed:  # noqa: F811
    with loop.library.write() as tx:
        data = feeds.issue(tx, loop.agreement)
    with loop.lab.write() as tx:
        return feeds.refresh(tx, data)


def attested(loop: Loop) -> Papers:  # noqa: F811
    with loop.lab.write() as tx:
        return deletion.attest(tx, loader.find_delivery(tx, "squares"))


def accepted(loop: Loop, data: Papers) -> taken.Attested:  # noqa: F811
    with loop.library.write() as tx:
        return deletion.accept(tx, data)


def ends(ws: Workspace) -> dict[str, list[str]]:
    with ws.read() as tx:
        return {str(row["name"]): [e["kind"] for e in registry.events(tx, row["id"])] for row in registry.listing(tx)}


def due(loop: Loop) -> list[Row]:  # noqa: F811
    with loop.library.read() as tx:
        return list(tx.rows(obligation.select().order_by(obligation.c.id)))


@pytest.mark.usefixtures("at_lab")
def test_the_feed_after_the_term_takes_back_clips_and_models(loop: Loop) -> None:  # noqa: F811
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


@pytest.mark.usefixtures("at_lab")
def test_before_anything_is_due_there_is_nothing_to_attest(loop: Loop) -> None:  # noqa: F811
    with pytest.raises(Refused, match="nothing"):
        attested(loop)


@pytest.mark.usefixtures("at_lab")
def test_a_breach_reaches_the_lab_with_the_feed(loop: Loop) -> None:  # noqa: F811
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


@pytest.mark.usefixtures("at_lab")
def test_an_upgrade_in_force_keeps_of_an_older_delivery_what_clears_under_it(loop: Loop) -> None:  # noqa: F811
    first = loop.agreement
    loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    with loop.library.write() as tx:
        for name in (ANA, BEN):
            consent.set(tx, contributor=contributors.find(tx, name), effect="allow", purpose="commercial")
    second = loop.agree(first, "commercial")
    assert fed(loop).entries == 0, "each delivery stands under its own agreement while that is in force"
    with loop.library.write() as tx:
        agreements.terminate(tx, first, "replaced")
        agreements.offer(tx, "research", lab_party=loop.lab.party_id, fee=agreements.find(tx, first).fee)
    assert fed(loop).entries == 2
    assert {row["item"] for row in due(loop)} == set(loop.items_of(CHEN)), "who was not asked about commercial use"
    assert len(loader.open_delivery(loop.lab, "squares").items) == 6
    with loop.library.write() as tx:
        row = next(r for r in tx.rows(asset.select()) if r["filename"] == "ben.mp4")
        facts.say(tx, row, "people", "yes")
    assert fed(loop).entries == 2, "it could not be delivered under the upgrade now"
    with loop.library.write() as tx:
        _, back = opt_out.deny(tx, contributors.find(tx, ANA), "commercial")
    assert sum(one.items for one in back) == 4
    assert {row["item"] for row in due(loop)} == {*loop.items_of(CHEN), *loop.items_of(BEN), *loop.items_of(ANA)}
    fed(loop)
    with loop.library.write() as tx:
        agreements.offer(
            tx, "research", lab_party=loop.lab.party_id, fee=agreements.find(tx, first).fee, upgrade_of=second
        )
        agreements.terminate(tx, second, "breach")
    assert fed(loop).entries == 8, "an upgrade that nobody signed keeps nothing, and models go now too"
    assert len(due(loop)) == 8, "what was taken back before is not owed twice"


def offered(loop: Loop, like: str, name: str, **terms: str) -> str:  # noqa: F811
    """An offer of the library's own: a shipped one with other terms."""
    text = (offers.SHIPPED / f"{like}.toml").read_text().replace(f'name = "{like}"', f'name = "{name}"')
    for field, value in terms.items():
        text, found = re.subn(rf"(?m)^{field} = .*$", f"{field} = {value}", text)
        assert found == 1
    folder = loop.library.root / "offers"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text)
    return name


def under(loop: Loop, offer: str) -> None:  # noqa: F811
    loop.agree(offer=offer)
    loop.build()
    loop.deliver()
    loop.receive()


def strict(loop: Loop) -> None:  # noqa: F811
    """To the lab under an agreement whose remedy is withdraw."""
    under(loop, offered(loop, "research", "strict", opt_out_remedy='"withdraw"'))


@step("strictly", after="loop")
def _strictly(place: Place) -> str:
    strict(place.reach("loop"))
    return "strict"


@pytest.fixture
def strictly(begun: Place, loop: Loop) -> str:  # noqa: F811
    """The loop after `strict`: for tests that begin there."""
    return begun.reach("strictly")


def test_the_end_of_retention_takes_the_clips_back_and_leaves_models(loop: Loop) -> None:  # noqa: F811
    under(loop, offered(loop, "research", "short", opt_out_remedy='"withdraw"', retention_days="20"))
    with loop.library.read() as tx:
        made_ms = feeds.deliveries_of(tx, "out", loop.agreement)[0]["recorded_at_ms"]
    folder, other = trained(loop, "harbor", ANA), trained(loop, "cove", BEN)

    def used(name: str) -> None:
        with loop.lab.read() as tx:
            permissions.require(tx, registry.find(tx, name), "generate", "research")

    loop.lab.clock.now = made_ms + 20 * DAY_MS - 1  # type: ignore[attr-defined]
    assert fed(loop).entries == 0
    loader.open_delivery(loop.lab, "squares")
    loop.lab.clock.advance(1)  # type: ignore[attr-defined]
    with pytest.raises(Refused) as caught:
        loader.open_delivery(loop.lab, "squares")
    assert "delivery.retention" in caught.value.reasons[0]
    with pytest.raises(Refused) as caught:
        loop.deliver(folder="again")
    assert caught.value.code == "delivery.retention" and not (loop.tmp / "again").exists()
    assert fed(loop).entries == 8
    loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    assert fed(loop).entries == 0
    assert {row["due_ms"] for row in due(loop)} == {made_ms + (20 + 30) * DAY_MS}
    assert (accepted(loop, attested(loop)).items, ends(loop.lab)) == (8, {"harbor": [], "cove": []})
    used("harbor")
    with loop.library.write() as tx:
        assert opt_out.opt_out(tx, contributors.find(tx, ANA)).items == 4, "her no reaches the models still"
    assert fed(loop).entries == 4
    with pytest.raises(Refused, match="withdraw"):
        used("harbor")
    used("cove")
    assert len(accepted(loop, attested(loop)).body.models) == 1
    assert (folder.exists(), other.exists(), len(due(loop))) == (False, True, 8)


@pytest.mark.parametrize("says", ["the first", "the upgrade"])
def test_a_remedy_holds_under_the_agreement_that_says_it(loop: Loop, says: str) -> None:  # noqa: F811
    """A checkpoint under two agreements, its own and one granted to it, and withdraw stands in one of them."""
    if says == "the first":
        strict(loop)
    else:
        loop.to_lab()
    first, remedy = loop.agreement, "stop_at_next_epoch" if says == "the first" else "withdraw"
    with loop.library.write() as tx:
        for name in PEOPLE:
            consent.set(tx, contributor=contributors.find(tx, name), effect="allow", purpose="commercial")
    folder = trained(loop, "harbor", ANA)
    loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    second = loop.agree(first, offered(loop, "commercial", "loose", opt_out_remedy=f'"{remedy}"'))
    with loop.library.write() as tx:
        (granted,) = upgrade.grant(tx, second)
    with loop.lab.write() as tx:
        grants.take(tx, granted.envelope or b"")

    def allowed(purpose: str) -> bool:
        with loop.lab.read() as tx:
            try:
                return bool(permissions.require(tx, registry.find(tx, "harbor"), "generate", purpose))
            except Refused as refused:
                assert "guard.withdrawn" in " ".join(refused.reasons)
                return False

    fed(loop)
    assert allowed("research") and allowed("commercial")
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    assert allowed("research"), "the other agreement allows it still"
    assert allowed("commercial") == (says == "the first")
    assert accepted(loop, attested(loop)).body.models == (), "an agreement in force lets it stay"
    loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    with loop.library.write() as tx:
        agreements.terminate(tx, second if says == "the first" else first, "replaced")
        opt_out.opt_out(tx, contributors.find(tx, BEN))
    with loop.lab.write() as tx:
        agreements.terminate(tx, second if says == "the first" else first, "replaced")
    fed(loop)
    assert not allowed("research") and not allowed("commercial")
    assert len(accepted(loop, attested(loop)).body.models) == 1
    assert not folder.exists()


@pytest.mark.usefixtures("strictly")
def test_the_labs_own_date_does_not_choose_the_agreements_in_force(loop: Loop) -> None:  # noqa: F811
    first = loop.agreement
    with loop.library.write() as tx:
        for name in PEOPLE:
            consent.set(tx, contributor=contributors.find(tx, name), effect="allow", purpose="commercial")
    trained(loop, "harbor", ANA)
    loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    second = loop.agree(first, offered(loop, "commercial", "loose", opt_out_remedy='"stop_at_next_epoch"'))
    with loop.library.write() as tx:
        upgrade.grant(tx, second)
    before_ms = loop.lab.clock() + 1
    loop.lab.clock.advance(DAY_MS // 2)  # type: ignore[attr-defined]
    with loop.library.write() as tx:
        agreements.terminate(tx, second, "replaced")
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    with loop.lab.write() as tx:
        agreements.terminate(tx, second, "replaced")
    fed(loop)
    with loop.lab.write() as tx:
        data = attest.attest(tx, "squares")
    value = read_payload(dsse.read_envelope(data.envelope).payload).to_json()
    value["body"]["deleted_at"] = to_rfc3339(before_ms)
    _, key = loop.lab.keys.signing_key()
    said = dsse.sign(dsse.read_envelope(data.envelope).payload_type, canonical(value), key)
    with pytest.raises(VerificationError) as caught:
        accepted(loop, replace(data, envelope=said))
    assert caught.value.code == "attest.model_missing"


@pytest.mark.usefixtures("strictly")
def test_under_withdraw_the_models_go_that_consumed_the_clips(loop: Loop) -> None:  # noqa: F811
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


@pytest.mark.usefixtures("strictly")
def test_what_was_made_of_a_model_goes_with_it(loop: Loop) -> None:  # noqa: F811
    trained(loop, "with-ben", BEN)
    upon = trained(loop, "upon", CHEN, of={"with-ben": "base"})
    soup = trained(loop, "soup", of={"upon": "merge", "other": "merge"})
    unreported = trained(loop, "unreported", CHEN, known=False, of={"soup": "encoder"})
    pupil = trained(loop, "pupil", CHEN, of={"with-ben": "teacher", "upon": "captioner"})
    apart = trained(loop, "apart", CHEN)
    with loop.lab.read() as tx:
        half = {"from": registry.find(tx, "soup")["public_id"]}, {"from": registry.find(tx, "apart")["public_id"]}
    parts = [loop.lab.root / "models" / f".{name}.part" for name in ("going", "staying")]
    for part, recipe in zip(parts, half, strict=True):
        part.mkdir()
        said = {"checkpoint": "ckp", "arguments": {"dataset": new_id("dlv"), "recipe": recipe}}
        (part / "session.json").write_text(json.dumps(said))
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, BEN))
    fed(loop)
    data = attested(loop)
    assert [folder.exists() for folder in (upon, soup, unreported, *parts)] == [False] * 4 + [True]
    assert pupil.exists() and apart.exists()
    assert len(accepted(loop, data).body.models) == 4
    assert {name for name, what in ends(loop.library).items() if what} == {"with-ben", "upon", "soup"}
    with loop.lab.read() as tx:
        for name, allowed in (("pupil", False), ("apart", True)):
            try:
                assert permissions.require(tx, registry.find(tx, name), "generate", "research") and allowed
            except Refused as refused:
                assert not allowed and "guard.deleted" in " ".join(refused.reasons)


@pytest.mark.usefixtures("strictly")
def test_under_withdraw_a_model_is_used_only_with_a_young_feed(loop: Loop) -> None:  # noqa: F811
    trained(loop, "harbor", ANA)

    def used() -> None:
        with loop.lab.read() as tx:
            permissions.require(tx, registry.find(tx, "harbor"), "generate", "research")

    used()
    loop.lab.clock.advance(8 * DAY_MS)  # type: ignore[attr-defined]
    with pytest.raises(Refused) as caught:
        used()
    assert [reason.split(":")[0] for reason in caught.value.reasons] == ["guard.feed_age"]
    assert "rights refresh" in caught.value.remedy
    fed(loop)
    used()


@pytest.mark.usefixtures("at_lab")
def test_other_remedies_leave_finished_models(loop: Loop) -> None:  # noqa: F811
    folder = trained(loop, "harbor", ANA)
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    assert accepted(loop, attested(loop)).body.models == ()
    loop.lab.clock.advance(8 * DAY_MS)  # type: ignore[attr-defined]
    with loop.lab.read() as tx:
        permit = permissions.require(tx, registry.find(tx, "harbor"), "generate", "research")
        assert permit.agreement.purpose == "research", "a finished model stays: the feed may be old"
    assert folder.exists() and ends(loop.lab) == {"harbor": []}


@pytest.mark.usefixtures("at_lab")
def test_frames_of_clips_go_with_the_clips_from_models_that_stay(loop: Loop) -> None:  # noqa: F811
    folder, models = trained(loop, "harbor", ANA), loop.lab.root / "models"
    kept = {".mine.part": loop.received.id, ".other.part": new_id("dlv")}  # type: ignore[union-attr]
    kept["cut-off"] = kept[".mine.part"]
    for place in (folder, *(models / name for name in kept)):
        (place / "validation").mkdir(parents=True)
        (place / "validation" / "step-000010.png").write_bytes(b"frames")
    for name, delivery in kept.items():
        said = json.dumps({"checkpoint": "ckp", "arguments": {"dataset": delivery}})
        (models / name / "session.json").write_text(said)
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    attested(loop)
    assert (folder / "weights").exists() and not (folder / "validation").exists()
    assert [(models / name / "validation").exists() for name in kept] == [False, True, False]


@pytest.mark.parametrize("why", ["withdraw", "stop", "breach"])
def test_a_half_done_training_goes_where_models_do(loop: Loop, why: str) -> None:  # noqa: F811
    (strict if why == "withdraw" else Loop.to_lab)(loop)
    part = loop.lab.root / "models" / ".mine.part"
    (part / "state").mkdir(parents=True)
    delivery = loop.received.id  # type: ignore[union-attr]
    (part / "session.json").write_text(json.dumps({"checkpoint": "ckp", "arguments": {"dataset": delivery}}))
    with loop.library.write() as tx:
        if why == "breach":
            agreements.terminate(tx, loop.agreement, "they sold clips")
        else:
            opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    with loop.lab.read() as tx:
        told = deletion.due_trainings(tx, loader.find_delivery(tx, "squares"))
    assert told == ([] if why == "stop" else ["mine"])
    attested(loop)
    assert part.exists() == (why == "stop")


@pytest.mark.usefixtures("strictly")
def test_a_checkpoint_that_was_cut_off_after_its_commit_is_no_half_done_training(loop: Loop) -> None:  # noqa: F811
    folder = trained(loop, "harbor", BEN)
    delivery = loop.received.id  # type: ignore[union-attr]
    (folder / "session.json").write_text(json.dumps({"checkpoint": "ckp", "arguments": {"dataset": delivery}}))
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    assert accepted(loop, attested(loop)).body.models == ()
    assert (folder / "weights").exists() and ends(loop.lab) == {"harbor": []}


@pytest.mark.usefixtures("strictly")
def test_a_model_that_is_not_named_is_missed(loop: Loop) -> None:  # noqa: F811
    trained(loop, "harbor", ANA)
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    with loop.lab.write() as tx:
        data = attest.attest(tx, "squares")
    with pytest.raises(VerificationError) as caught:
        accepted(loop, data)
    assert caught.value.code == "attest.model_missing"
    value = read_payload(dsse.read_envelope(data.envelope).payload).to_json()
    with loop.lab.read() as tx:
        row = registry.find(tx, "harbor")
    value["body"]["models"] = [{"checkpoint": row["public_id"], "weights_hash": row["weights_hash"]}]
    _, key = loop.lab.keys.signing_key()
    said = dsse.sign(dsse.read_envelope(data.envelope).payload_type, canonical(value), key)
    assert accepted(loop, replace(data, envelope=said)).new
