"""Checkpoints that descend from others: trained further, merged, with models from elsewhere, and for one tenant."""

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.rational import Share
from fairframe.generation.generate import generate
from fairframe.platform.objects import sha256_file
from fairframe.rights import offers
from fairframe.training import ancestry, externals, lineage, permissions, registry
from fairframe.training.externals import External
from fairframe.training.happened import happen
from fairframe.training.merging import merge
from fairframe.training.reporting import report
from fairframe.training.session import train
from fairframe.verify.registry import verify
from fairframe.verify.trust import Trust

pytestmark = pytest.mark.torch

T5 = External("t5", "5" * 64, "Apache-2.0", "https://example.com/license", "Kim Lee", "yes", "yes")


@pytest.fixture
def preset(made: Path) -> str:
    return str(made / "small.toml")


def row_of(studio: Any, name: str) -> Any:
    with studio.lab.read() as tx:
        return registry.find(tx, name)


def weights_of(studio: Any, name: str) -> list[tuple[str, str, Fraction]]:
    with studio.lab.read() as tx:
        found = registry.ancestors_of(tx, registry.find(tx, name)["id"])
        return [(a["name"], a["role"] or "base", Fraction(a["weight_num"], a["weight_den"])) for a in found]


def refused(studio: Any, name: str, use: Any, purpose: str = "research", tenant: str | None = None) -> set[str]:
    with studio.lab.read() as tx:
        try:
            permissions.require(tx, registry.find(tx, name), use, purpose, tenant=tenant)
        except Refused as error:
            assert error.code == "guard.refused"
            return {reason.split(":")[0] for reason in error.reasons}
    return set()


def holds(studio: Any, path: Path) -> set[str]:
    """Codes of what fails of a file, offline, with the two parties' documents alone."""
    trust = Trust.load([studio.library.root / "party.json", studio.lab.root / "party.json"])
    report = verify(path, trust, studio.lab.clock())
    return {one.code for one in report.findings if one.ok is False}


def film(studio: Any, name: str, **kwargs: Any) -> Path:
    return generate(
        studio.lab, "a square", model=name, out=studio.loop.tmp / f"{name}.mp4", seconds="0.5", size=32, **kwargs
    ).path


def test_a_checkpoint_trained_further_and_merged(studio: Any, preset: str, upgrade: Callable[[], str]) -> None:
    lab = studio.lab
    studio.loop.build("more")
    studio.loop.deliver("more", "delivery-2")
    studio.loop.receive("delivery-2")
    with lab.write() as tx:
        externals.add(tx, T5)
    train(lab, "more", preset, "second", base="harbor", declared=[("captioner", "t5")], seed=1)
    train(lab, "squares", preset, "third", base="second", seed=2)
    frames = {name: row_of(studio, name)["frames_seen"] for name in ("harbor", "second", "third")}
    behind = frames["harbor"] + frames["second"]
    assert weights_of(studio, "second") == [
        ("harbor", "base", Fraction(frames["harbor"], behind)),
        ("t5", "captioner", 0),
    ]
    assert weights_of(studio, "third") == [("second", "base", Fraction(behind, behind + frames["third"]))]
    with lab.read() as tx:
        assert ancestry.frames_behind(tx, registry.find(tx, "third")) == behind + frames["third"]
        body = registry.lineage_of(registry.find(tx, "second")).body
    assert "role" not in body["ancestors"][0] and body["ancestors"][1]["role"] == "captioner"
    assert (lab.root / "models/second/vae/config.json").is_file() and not (lab.root / "models/second/state").exists()

    made = merge(lab, "third", "harbor", "soup", part=Share(1, 4))
    assert made.related
    assert weights_of(studio, "soup") == [("third", "merge", Fraction(1, 4)), ("harbor", "merge", Fraction(3, 4))]
    _is_the_mean(lab.root / "models", "third", "harbor", "soup", 0.25)
    again = merge(lab, "third", "harbor", "soup-2", part=Share(1, 4))
    assert row_of(studio, "soup-2")["weights_hash"] == row_of(studio, "soup")["weights_hash"] and again.related
    with lab.read() as tx:
        tree = ancestry.tree(tx, registry.find(tx, "soup"))
        assert [(one.name, one.weight, [two.name for two in one.made_of]) for one in tree.made_of] == [
            ("third", "1/4", ["second"]),
            ("harbor", "3/4", []),
        ]
        total = ancestry.frames_behind(tx, registry.find(tx, "soup"))
    assert total == round(Fraction(behind + frames["third"], 4) + Fraction(3 * frames["harbor"], 4))

    for config in (lab.root / "models").glob("*/*/config.json"):
        assert str(lab.root.parent) not in config.read_text("utf-8"), "no path of this machine travels with a model"

    # what is made of them, and the models themselves, hold outside of any workspace
    for name in ("second", "soup"):
        assert holds(studio, lab.root / "models" / name) == set()
        path = film(studio, name)
        assert holds(studio, path) == set(), name

    # the library takes reports with roles, and its grant for one of the tree is not enough for the others
    assert refused(studio, "soup", "generate", "commercial") == {"guard.purpose"}
    assert refused(studio, "soup", "release_weights") == {"guard.action", "guard.model_scope"}
    with lab.write() as tx:
        data = report(tx, "second")
        with pytest.raises(Refused, match="was not trained on a delivery"):
            report(tx, "soup")
    from fairframe.royalties import usage

    with studio.library.write() as tx:
        assert usage.accept(tx, data).report.ancestors[1].role == "captioner"

    # one ancestor that goes takes with it what may be done with all that descend from it
    with lab.write() as tx:
        happen(tx, registry.find(tx, "second"), "deleted")
    for name, gone in (("harbor", False), ("second", True), ("third", True), ("soup", True)):
        assert ("guard.deleted" in refused(studio, name, "generate")) == gone
        assert ("guard.deleted" in refused(studio, name, "merge")) == gone
    with pytest.raises(Refused, match="second was deleted"):
        merge(lab, "soup", "harbor", "soup-3")
    with pytest.raises(Refused, match="second was deleted"):
        train(lab, "squares", preset, "fourth", base="soup")
    assert not (lab.root / "models/.soup-3.part").exists() and not (lab.root / "models/.fourth.part").exists()


def _is_the_mean(models: Path, first: str, second: str, merged: str, part: float) -> None:
    """Of every tensor of every part, read from the files."""
    import torch
    from safetensors.torch import load_file

    differing = 0
    for name in ("vae", "transformer", "text_encoder"):
        one, other, found = (
            load_file(next((models / which / name).glob("*.safetensors"))) for which in (first, second, merged)
        )
        assert one.keys() == found.keys()
        for key, tensor in found.items():
            wanted = one[key].double() * part + other[key].double() * (1 - part)
            assert torch.equal(tensor, wanted.to(tensor.dtype)), key
            differing += not torch.equal(one[key], other[key])
    assert differing > 10


def test_what_a_merge_and_a_training_refuse(studio: Any, preset: str, tmp_path: Path) -> None:
    lab = studio.lab
    text = Path(preset).read_text("utf-8")
    other = tmp_path / "other.toml"
    other.write_text(text.replace("layers = 1\nheads = 2", "layers = 2\nheads = 2"), "utf-8")
    longer = tmp_path / "longer.toml"
    longer.write_text(text.replace("frames = 5\nfps", "frames = 7\nfps"), "utf-8")
    train(lab, "squares", str(other), "deeper", from_scratch=True)
    with pytest.raises(InputError, match="the transformer is configured differently") as wrong:
        merge(lab, "harbor", "deeper", "soup")
    assert wrong.value.code == "merge.architecture"
    with pytest.raises(InputError, match="same weights"):
        merge(lab, "harbor", "harbor", "soup")
    with pytest.raises(InputError, match="both take part"):
        merge(lab, "harbor", "deeper", "soup", part=Share(1))
    with pytest.raises(Refused, match="may not be merged for commercial"):
        merge(lab, "harbor", "deeper", "soup", purpose="commercial")
    with pytest.raises(InputError) as wrong:
        train(lab, "squares", str(longer), "longer", base="harbor")
    assert wrong.value.code == "training.other_window"
    with pytest.raises(InputError, match="only one"):
        train(lab, "squares", preset, "both", base="harbor", from_scratch=True)
    with pytest.raises(Refused, match="trained upon for commercial"):
        train(lab, "squares", preset, "sold", base="harbor", purpose="commercial")
    with pytest.raises(InputError, match="no role"):
        train(lab, "squares", preset, "friend", from_scratch=True, declared=[("friend", "harbor")])
    # the license does not let a checkpoint be learned from; and of what is unknown nothing commercial is made
    with pytest.raises(Refused, match="may not be distilled"):
        train(lab, "squares", preset, "pupil", from_scratch=True, declared=[("teacher", "harbor")])
    with lab.write() as tx:
        externals.add(tx, External("e5", "6" * 64, "custom", "https://example.com/", "Kim Lee"))
    with pytest.raises(Refused, match="not known to permit commercial use"):
        train(lab, "squares", preset, "sold", from_scratch=True, declared=[("encoder", "e5")], purpose="commercial")
    # a merge that was killed is made again by the same call, under the id that it had
    train(lab, "squares", preset, "other", from_scratch=True, seed=5)
    merge(lab, "harbor", "other", "soup")
    known = row_of(studio, "soup")
    with pytest.raises(RuntimeError, match="killed"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shutil, "rmtree", lambda *_args, **_more: None)
            merge(lab, "harbor", "other", "broth", show=_killed)
    part = lab.root / "models/.broth.part"
    half = json.loads((part / "session.json").read_text("utf-8"))["checkpoint"]
    with pytest.raises(Conflict) as half_done:
        merge(lab, "harbor", "other", "broth", part=Share(1, 3))
    assert half_done.value.code == "model.half_done" and part.exists()
    assert merge(lab, "harbor", "other", "broth").checkpoint == half and not part.exists()
    assert row_of(studio, "broth")["weights_hash"] == known["weights_hash"]
    assert not (lab.root / "models/broth/session.json").exists()
    for name in ("other", "soup", "broth"):
        shutil.rmtree(lab.root / "models" / name)
    with pytest.raises(Conflict, match="harbor already"):
        merge(lab, "harbor", "deeper", "harbor")
    assert sorted(path.name for path in (lab.root / "models").iterdir()) == ["deeper", "harbor"]


def _killed(done: int, _total: int, _note: str) -> None:
    if done:
        raise RuntimeError("killed")


def test_a_tenants_model_stays_with_the_tenant(studio: Any, preset: str) -> None:
    lab, loop = studio.lab, studio.loop
    folder = studio.library.root / "offers"
    folder.mkdir(exist_ok=True)
    shipped = (offers.SHIPPED / "research.toml").read_text("utf-8")
    for changed in (('name = "research"', 'name = "private"'), ('model_scope = "licensee"', 'model_scope = "tenant"')):
        assert changed[0] in shipped
        shipped = shipped.replace(*changed)
    (folder / "private.toml").write_text(shipped, "utf-8")
    open_deal, ours, theirs = loop.agreement, loop.agree(offer="private"), loop.agree(offer="private")
    for deal, name in ((ours, "ours"), (theirs, "theirs")):
        loop.agreement = deal
        loop.build(name)
        loop.deliver(name, f"delivery-{name}")
        loop.receive(f"delivery-{name}")
    train(lab, "ours", preset, "titles", base="harbor", seed=1)
    for use in ("generate", "fine_tune", "merge"):
        assert refused(studio, "titles", use) == {"guard.tenant"}
        assert refused(studio, "titles", use, tenant=theirs) == {"guard.tenant"}
        assert refused(studio, "titles", use, tenant=ours) == set()
    assert refused(studio, "titles", "release_weights", tenant=ours) >= {"guard.model_scope"}
    with pytest.raises(Refused) as outside:
        film(studio, "titles")
    told = " ".join([str(outside.value), *outside.value.reasons])
    assert "--tenant" in told and ours not in told and not list(loop.tmp.glob("titles.mp4*"))
    with pytest.raises(InputError, match="no tenant") as wrong:
        film(studio, "titles", tenant=open_deal)
    assert wrong.value.code == "input.tenant"
    with pytest.raises(Refused, match="one rights holder"):
        merge(lab, "titles", "harbor", "soup")
    with pytest.raises(Refused, match="one rights holder"):
        train(lab, "squares", preset, "leak", base="titles")
    with pytest.raises(Refused, match="one rights holder"):
        train(lab, "theirs", preset, "leak", base="titles")
    with pytest.raises(Refused) as mixed:
        train(lab, "theirs", preset, "leak", base="titles", tenant=ours)
    assert mixed.value.code == "training.tenant"
    # nor does an agreement that lets its clips train new models alone let them train older ones further
    narrower = shipped.replace('"private"', '"new-only"').replace(', "fine_tune"]', "]")
    (folder / "new-only.toml").write_text(narrower.replace('"tenant"', '"licensee"'), "utf-8")
    loop.agree(offer="new-only")
    loop.build("new")
    loop.deliver("new", "delivery-new")
    loop.receive("delivery-new")
    with pytest.raises(Refused) as narrow:
        train(lab, "new", preset, "leak", base="harbor")
    assert narrow.value.code == "training.action"
    # for the tenant, all of it goes; and what is made so stays with the tenant again
    assert holds(studio, film(studio, "titles", tenant=ours)) == set()
    merge(lab, "titles", "harbor", "soup", tenant=ours)
    train(lab, "ours", preset, "sequel", base="titles")
    for name in ("soup", "sequel"):
        assert refused(studio, name, "generate") == {"guard.tenant"}
        assert refused(studio, name, "generate", tenant=ours) == set()


def test_models_from_elsewhere(lab: Any, tmp_path: Path) -> None:
    file = tmp_path / "t5.safetensors"
    file.write_bytes(b"weights")
    with lab.write() as tx:
        first = externals.add(tx, External("t5", externals.hash_weights(file), "MIT", "https://a.b/c", "Kim Lee"))
        row = externals.find(tx, first)
        assert (row["hash"], row["commercial"], row["release"]) == (sha256_file(file), "unknown", "unknown")
    lab.clock.advance(1)
    with lab.write() as tx:
        externals.add(tx, External("t5", sha256_file(file), "MIT", "https://a.b/c", "Kim Lee", "yes", "no"))
        (held,) = externals.listing(tx)
        assert (held["commercial"], held["release"]) == ("yes", "no")
        assert externals.by_hash(tx, sha256_file(file)) == held == externals.find(tx, "t5")
        ref = externals.ancestor(held, "encoder")
        assert (ref.data, ref.role, ref.weight_num, ref.license) == ("undisclosed", "encoder", 0, "MIT")
        assert lineage.AncestorRef.from_json(ref.to_json()) == ref
        for wrong in (
            {"name": ""}, {"hash": "ABC"}, {"license": "x" * 201}, {"license_url": "javascript:alert(1)"},
            {"by": "a\nb"}, {"commercial": "maybe"}, {"release": ""}, {"name": "\x1b[2J"},
        ):  # fmt: skip
            good = {"name": "a", "hash": "0" * 64, "license": "MIT", "license_url": "https://a.b", "by": "Kim"}
            with pytest.raises(InputError) as bad:
                externals.add(tx, External(**{**good, **wrong}))  # type: ignore[arg-type]
            assert bad.value.code == "input.bad_external"
