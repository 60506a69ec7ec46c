"""Checkpoints whose weights are the same bytes: what holds of one holds of all, whatever they are called."""

from fractions import Fraction
from typing import Any

import pytest

from fairframe.core.ancestors import AncestorRef
from fairframe.core.errors import Refused
from fairframe.core.ids import new_id
from fairframe.flows.disclosures.figure import Parameters
from fairframe.flows.disclosures.functions import chain
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace
from fairframe.training import ancestry, externals, permissions, registry
from fairframe.training.externals import External
from fairframe.training.happened import happen
from fairframe.training.publishing import Made, place_for, publish
from fairframe.training.tables import ancestor, checkpoint


def put(lab: Workspace, name: str, data: bytes, ancestors: tuple[AncestorRef, ...] = ()) -> Row:
    """Publish a merge as merging does; its weights are these bytes."""
    place = place_for(lab, name)
    (place.part / "vae").mkdir(parents=True)
    (place.part / "vae" / "model.safetensors").write_bytes(data)
    publish(lab, place, Made(new_id("ckp"), {}, ancestors, lambda tx: None))
    with lab.read() as tx:
        return registry.find(tx, name)


def of(row: Row, part: str = "1") -> AncestorRef:
    return ancestry.as_ancestor(row, "merge", Fraction(part))


@pytest.fixture
def older(lab: Workspace) -> Row:
    """A checkpoint that nobody may use: it descends from one that is not known here."""
    unknown = AncestorRef("checkpoint", "theirs", "ab" * 32, "?", "undisclosed", 1, 1, "merge")
    return put(lab, "older", b"first", (unknown,))


def refused(lab: Workspace, name: str) -> set[str]:
    with lab.read() as tx:
        answer = permissions.permissions_of(tx, registry.find(tx, name)).answer("generate", "research")
    return {one.code for one in answer.against}


def test_weights_are_not_published_again_as_their_own_descendant(lab: Workspace, older: Row) -> None:
    clean = put(lab, "clean", b"second")
    with pytest.raises(Refused, match="those of its ancestor older") as wrong:
        put(lab, "soup", b"first", (of(older, "9/10"), of(clean, "1/10")))
    assert wrong.value.code == "model.same_weights"
    with lab.read() as tx:
        assert [row["name"] for row in registry.listing(tx)] == ["older", "clean"]


def test_what_holds_of_weights_holds_under_each_of_their_names(lab: Workspace, older: Row) -> None:
    child = put(lab, "child", b"third", (of(older),))
    between = put(lab, "between", b"fourth", (of(older),))
    assert refused(lab, "older") == refused(lab, "child") == {"guard.ancestor_unknown"}
    # the same bytes as `older`, two steps on, and made of nothing at all
    round_trip, again = put(lab, "round", b"first", (of(between),)), put(lab, "again", b"first")
    for name in ("older", "child", "round", "again"):
        assert "guard.ancestor_unknown" in refused(lab, name), name
    with lab.read() as tx:
        gone = {row["name"] for row in registry.made_of(tx, [older])}
        assert gone == {"child", "between", "round", "again"}
        for row in (child, again):
            counted = {one["name"] for one in chain(tx, Parameters(row["public_id"], tx.now_ms))}
            assert counted == {"older", "between", "round", "again", *([row["name"]])}
        assert ancestry.roots(tx, round_trip) >= {older["weights_hash"], between["weights_hash"], "ab" * 32}
    with lab.write() as tx:
        happen(tx, round_trip, "deleted")
    for name in ("older", "child", "again"):
        assert "guard.deleted" in refused(lab, name), name


def test_a_checkpoint_is_no_model_from_elsewhere(lab: Workspace, older: Row) -> None:
    files: dict[str, str] = registry.lineage_of(older).body["files"]
    for weights in (older["weights_hash"], *files.values()):
        free = External("free", weights, "MIT", "https://mit.example/", "Kim Lee", "yes", "yes")
        with pytest.raises(Refused, match="weights of the checkpoint older") as wrong, lab.write() as tx:
            externals.add(tx, free)
        assert wrong.value.code == "external.own"
    # and where it was declared before, or elsewhere, the checkpoint's own ancestors count all the same
    with lab.read() as tx:
        assert externals.listing(tx) == []
    claimed = AncestorRef("external", "free", older["weights_hash"], "MIT", "undisclosed", 0, 1, "teacher")
    put(lab, "pupil", b"fifth", (claimed,))
    assert refused(lab, "pupil") == {"guard.ancestor_unknown"}


def test_a_report_that_names_itself_as_its_ancestor_is_read_to_its_end(library: Workspace) -> None:
    rows: dict[str, Any] = {}
    with library.write() as tx:
        for name in ("a", "b"):
            rows[name] = tx.insert(
                checkpoint, public_id=new_id("ckp"), direction="reported", party=library.party_id, name=name,
                weights_hash=name * 64, lineage="", frames_seen=0,
            )  # fmt: skip
        for name, other in (("a", "b"), ("b", "a"), ("b", "b")):
            tx.insert(
                ancestor, checkpoint_id=rows[name], kind="checkpoint", name=other, hash=other * 64, license="",
                data="disclosed", weight_num=1, weight_den=2, role=None,
            )  # fmt: skip
    with library.read() as tx:
        row = registry.find_any(tx, "a")
        (other,) = ancestry.tree(tx, row).made_of
        assert [(one.name, one.id) for one in other.made_of] == [("a", ""), ("b", "")]
        assert ancestry.frames_behind(tx, row) == 0
        assert ancestry.roots(tx, row) == {"a" * 64, "b" * 64}
        assert [one["name"] for one in registry.made_of(tx, [row])] == ["b"]
