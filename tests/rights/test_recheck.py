"""Whatever touches an asset after the snapshot is caught: by its own leaf, its people's, its collections', or time."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from tests.conftest import SettableClock
from tests.rights.test_agreements import agreed
from tests.rights.worlds import asset_values

from fairframe.core.ids import new_id
from fairframe.core.time import DAY_MS
from fairframe.library import collections, contributors, facts, releases
from fairframe.library.tables import asset, collection_asset, ownership, signal
from fairframe.platform.tx import Row, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, consent, holds
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearing import Cleared
from fairframe.rights.recheck import recheck
from fairframe.rights.tables import ruling


def add_asset(tx: WriteTx, owner: Row, name: str) -> Row:
    public_id = new_id("ast")
    key = tx.insert(asset, public_id=public_id, **asset_values(owner["id"], name))
    share = {"share_num": 1, "share_den": 1, "valid_from_ms": tx.now_ms}
    tx.insert(ownership, asset_id=key, contributor_id=owner["id"], **share)
    tx.record("asset.added", public_id, {})
    row = tx.row(asset.select().where(asset.c.id == key))
    assert row is not None
    for fact, value in (("people", "no"), ("property_release", "not needed"), ("editorial", "no")):
        facts.say(tx, row, fact, value, origin="metadata")
    return row


class Scene:
    """Two contributors who consented to research, two assets each, and a clearance of all four."""

    def __init__(self, library: Workspace, lab: Workspace) -> None:
        self.ws = library
        self.agreement: Agreement = agreed(library, lab)
        with library.write() as tx:
            self.ada, self.bo = contributors.ensure(tx, "Ada Quist"), contributors.ensure(tx, "Bo Lindahl")
            for person in (self.ada, self.bo):
                consent.set(tx, contributor=person, effect="allow", purpose="research")
            self.assets = [add_asset(tx, one, f"{n}.mp4") for n, one in enumerate([self.ada] * 2 + [self.bo] * 2)]
            self.harbor = collections.ensure(tx, self.ada, "Harbor")
            collections.add(tx, self.harbor, self.assets[0])
        self.release: Row | None = None

    @property
    def ids(self) -> list[int]:
        return [row["id"] for row in self.assets]

    def clear(self) -> Cleared:
        return clearing.clear_agreement(self.ws, self.agreement)

    def lost(self, cleared: Cleared) -> dict[int, tuple[str, ...]]:
        """index of the asset -> codes, of those that no longer clear"""
        with self.ws.read() as tx:
            found = recheck(tx, self.agreement, cleared.audit_size, self.ids)
        return {self.ids.index(key): d.codes for key, d in found.items() if d.outcome != "ALLOW"}


@pytest.fixture
def scene(library: Workspace, lab: Workspace) -> Scene:
    return Scene(library, lab)


def test_nothing_is_lost_where_nothing_happened(scene: Scene) -> None:
    cleared = scene.clear()
    assert cleared.counts == {"ALLOW": 4, "REVIEW": 0, "DENY": 0}
    assert scene.lost(cleared) == {}
    with scene.ws.read() as tx:
        assert recheck(tx, scene.agreement, cleared.audit_size, scene.ids) == {}


def co_owner(tx: WriteTx, scene: Scene) -> None:
    for owner in (scene.ada, scene.bo):
        share = {"share_num": 1, "share_den": 2, "valid_from_ms": tx.now_ms}
        tx.insert(ownership, asset_id=scene.ids[3], contributor_id=owner["id"], **share)
    tx.record("asset.owners", scene.assets[3]["public_id"], {})
    consent.opt_out(tx, scene.ada)


def say_do_not_train(tx: WriteTx, scene: Scene) -> None:
    words = {"kind": "c2pa", "key": "cawg.ai_training", "value": "notAllowed", "trust": "trusted", "detail": {}}
    tx.insert(signal, public_id=new_id("sig"), asset_id=scene.ids[2], valid_from_ms=tx.now_ms, raw_key=None, **words)
    tx.record("asset.signal", scene.assets[2]["public_id"], {})


ACTS: dict[str, tuple[Callable[[WriteTx, Scene], object], dict[int, tuple[str, ...]]]] = {
    "opt-out": (lambda tx, s: consent.opt_out(tx, s.ada), {0: ("opted_out",), 1: ("opted_out",)}),
    "a no on an asset": (
        lambda tx, s: consent.set(tx, contributor=s.ada, effect="deny", purpose="research", asset=s.assets[1]),
        {1: ("consent_denied",)},
    ),
    "a no on a collection": (
        lambda tx, s: consent.set(tx, contributor=s.ada, effect="deny", purpose="*", collection=s.harbor),
        {0: ("consent_denied",)},
    ),
    "a hold": (lambda tx, s: holds.place(tx, s.assets[3], code="dispute", reason="whose is it"), {3: ("hold",)}),
    "a fact": (lambda tx, s: facts.say(tx, s.assets[2], "editorial", "yes"), {2: ("editorial",)}),
    "a signal": (say_do_not_train, {2: ("do_not_train",)}),
    "a co-owner's opt-out": (co_owner, {0: ("opted_out",), 1: ("opted_out",), 3: ("opted_out",)}),
}


@pytest.mark.parametrize("name", ACTS)
def test_each_act_since_the_snapshot_is_caught(scene: Scene, name: str) -> None:
    act, lost = ACTS[name]
    cleared = scene.clear()
    with scene.ws.write() as tx:
        act(tx, scene)
    assert scene.lost(cleared) == lost
    after = scene.clear()
    assert {scene.ids.index(k): codes for k, (o, codes) in after.decisions.items() if o != "ALLOW"} == lost
    assert scene.lost(after) == {}


def test_a_revoked_release_is_caught(scene: Scene) -> None:
    with scene.ws.write() as tx:
        facts.say(tx, scene.assets[0], "people", "yes")
        release = releases.add(tx, scene.assets[0], "model", b"I agree to the training of models.", True)
    cleared = scene.clear()
    assert cleared.counts["ALLOW"] == 4
    with scene.ws.write() as tx:
        releases.revoke(tx, release, scene.assets[0])
    assert scene.lost(cleared) == {0: ("model_release_missing", "model_release_revoked")}


def test_a_release_that_ends_is_caught(scene: Scene, clock: SettableClock) -> None:
    """Time alone: it lasted as long as the agreement, which is asked about once more after its end."""
    ends_ms = scene.agreement.ends_ms
    with scene.ws.write() as tx:
        facts.say(tx, scene.assets[0], "people", "yes")
        releases.add(tx, scene.assets[0], "model", b"Until then.", True, until_ms=ends_ms)
    clock.now = ends_ms - 1
    cleared = scene.clear()
    assert cleared.counts["ALLOW"] == 4
    clock.now = ends_ms
    assert scene.lost(cleared) == {0: ("model_release_term",)}


def test_time_alone_is_caught(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]
    with scene.ws.write() as tx:
        soon = tx.now_ms + 5 * DAY_MS
        consent.set(tx, contributor=scene.bo, effect="deny", purpose="research", valid_from_ms=soon)
        facts.say(tx, scene.assets[0], "people", "unknown")
        row = {"finding": "people_unknown", "decision": "allow", "reason": "looked", "expires_ms": soon}
        tx.insert(ruling, public_id=new_id("rul"), asset_id=scene.ids[0], valid_from_ms=tx.now_ms, **row)
    cleared = scene.clear()
    assert cleared.counts["ALLOW"] == 4 and cleared.findings == {"people_unknown": 1}
    clock.advance(5 * DAY_MS)
    assert scene.lost(cleared) == {0: ("people_unknown",), 2: ("consent_denied",), 3: ("consent_denied",)}


def test_an_opt_out_by_a_clock_that_runs_ahead_is_caught(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]
    cleared = scene.clear()
    clock.advance(60_000)
    with scene.ws.write() as tx:
        consent.opt_out(tx, scene.bo)
    clock.advance(-60_000)
    assert set(scene.lost(cleared)) == {2, 3}
    assert scene.clear().counts["DENY"] == 2


def test_only_asked_assets_are_answered(scene: Scene) -> None:
    cleared = scene.clear()
    with scene.ws.write() as tx:
        consent.opt_out(tx, scene.ada)
    with scene.ws.read() as tx:
        assert set(recheck(tx, scene.agreement, cleared.audit_size, scene.ids[1:2])) == {scene.ids[1]}


def test_joining_a_collection_is_caught(scene: Scene) -> None:
    with scene.ws.write() as tx:
        consent.set(tx, contributor=scene.ada, effect="deny", purpose="*", collection=scene.harbor)
    cleared = scene.clear()
    with scene.ws.write() as tx:
        collections.add(tx, scene.harbor, scene.assets[1])
        assert tx.scalar(sa.select(sa.func.count()).select_from(collection_asset)) == 2
    assert set(scene.lost(cleared)) == {1}


def test_explain_says_what_the_set_says(scene: Scene) -> None:
    with scene.ws.write() as tx:
        holds.place(tx, scene.assets[0], code="dispute", reason="whose is it")
    cleared = scene.clear()
    with scene.ws.read() as tx:
        for row in scene.assets:
            found = clearing.explain(tx, scene.agreement, row)
            assert (found.outcome, found.codes) == cleared.decisions[row["id"]]
        commercial = clearing.explain(tx, scene.agreement, scene.assets[1], purpose="commercial")
    assert commercial.codes == ("outside_purpose", "no_consent")


def test_results_stay_where_a_folder_was_given_and_go_where_none_was(scene: Scene, tmp_path) -> None:  # type: ignore[no-untyped-def]
    kept = clearing.clear_agreement(scene.ws, scene.agreement, folder=tmp_path / "kept")
    assert kept.path == tmp_path / "kept" / "decisions.parquet" and (tmp_path / "kept" / "snapshot").is_dir()
    gone = scene.clear()
    path = gone.path
    assert path.is_file() and not (path.parent / "snapshot").exists()
    del gone
    assert not path.parent.exists()
