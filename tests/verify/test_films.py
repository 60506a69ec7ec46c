"""A film, its signed sidecar and the chain behind it, from two party documents alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core import dsse
from fairframe.core.bundle import AgreementRef, seal
from fairframe.core.canonical import canonical, digest, sha256_hex
from fairframe.core.time import DAY_MS, now_ms, to_rfc3339

Failing = Callable[[Any], set[str]]
NOW_MS = now_ms()
FILM = b"\0\0\0\x18ftypisom" + b"pictures" * 40


FILES = {"vae/weights": b"vae", "transformer/weights": b"flow", "window.json": b"{}"}


def lineage_body(ids: Any, **changes: Any) -> dict[str, Any]:
    hashes = {name: sha256_hex(content) for name, content in FILES.items()}
    return {
        "checkpoint": ids("ckp"),
        "name": "harbor",
        "weights_hash": digest(changes.get("files", hashes)),
        "files": hashes,
        "delivery": {"id": ids("dlv"), "root": "ab" * 32, "items": 2},
        "family": ids("agr"),
        "recipe": '{"steps":1}',
        "recipe_hash": sha256_hex(b'{"steps":1}'),
        "code": "fairframe 0.1.0",
        "usage": {
            "method": "measured",
            "frames": 30,
            "house_frames": 10,
            "items": [{"source": ids("dlv"), "item": ids("itm", n), "frames": 10} for n in range(2)],
        },
        "ancestors": [ancestor("house", "base-64")],
        "made_at": to_rfc3339(NOW_MS),
        **changes,
    }


def ancestor(kind: str, name: str) -> dict[str, Any]:
    told = {"kind": kind, "name": name, "hash": "00", "license": "Apache-2.0", "data": "disclosed"}
    return {**told, "weight_num": 9, "weight_den": 10}


def term(starts_ms: int) -> dict[str, str]:
    """The fields of a year from a moment on."""
    return {"starts_at": to_rfc3339(starts_ms), "ends_at": to_rfc3339(starts_ms + 365 * DAY_MS)}


class Chain:
    """Makes the documents of a film. Every part can be changed before `write`."""

    def __init__(self, world: Any, ids: Any, purpose: str = "research", upgraded: bool = False) -> None:
        self.world, self.ids, self.upgraded = world, ids, upgraded
        self.lineage = lineage_body(ids)
        self.root, self.weights = "ab" * 32, self.lineage["weights_hash"]
        self.family = world.agreement_ref.id
        self.agreement_id = ids("agr", 5) if upgraded else self.family
        self.agreement: dict[str, Any] = world.agreement_body(purpose=purpose, family=self.family)
        if upgraded:
            self.agreement["upgrade_of"] = self.family
        self.delivery: dict[str, Any] = world.delivery([b"one", b"two"], root=self.root)
        self.grant: dict[str, Any] = {
            "checkpoint": ids("ckp"),
            "weights_hash": self.weights,
            "agreement": self.agreement_id,
            "family": self.family,
        }
        self.links: list[dict[str, Any]] = []
        self.changes: dict[str, Any] = {}
        self.documents: dict[str, Any] = {}

    def by_lab(self, kind: str, body: dict[str, Any], **changes: Any) -> bytes:
        world = self.world
        plain = {"sender": world.lab.id, "recipient": "", "agreement": AgreementRef(self.agreement_id, 1)}
        return seal(world.bundle(kind, body, **{**plain, **changes}), world.lab.private)

    def signed(self, body: dict[str, Any], agreement: str) -> bytes:
        ref = AgreementRef(agreement, 1)
        sealed = self.world.sealed("agreement", body, id=agreement, agreement=ref)
        return dsse.add_signature(sealed, self.world.lab.private)

    def older(self, n: int, **changes: Any) -> dict[str, Any]:
        """Another checkpoint of the lab, on the same delivery: gives it as an ancestor, its documents into links."""
        files = {"vae/weights": f"{n}{n}" * 32}
        body = lineage_body(self.ids, checkpoint=self.ids("ckp", n), name=f"older-{n}", files=files, **changes)
        self.links.append(
            {
                "lineage": self.by_lab("lineage", body).decode(),
                "delivery": self.world.sealed("delivery", self.delivery).decode(),
                "delivery_agreement": None,
                "agreement": self.signed(self.agreement, self.agreement_id).decode(),
                "grant": None,
            }
        )
        return {**ancestor("checkpoint", f"older-{n}"), "hash": body["weights_hash"]}

    def merged(self) -> None:
        """Make the model a merge of two: it consumed nothing itself."""
        both = [{**self.older(n), "weight_num": 1, "weight_den": 2, "role": "merge"} for n in (1, 2)]
        usage = {"method": "measured", "frames": 0, "house_frames": 0, "items": []}
        self.lineage |= {"delivery": None, "family": None, "usage": usage, "ancestors": both}
        self.changes["delivery"] = None
        self.documents = {"delivery": None, "agreement": None}

    def write(self, film: bytes = FILM, **changes: Any) -> Path:
        path = self.world.write("film.mp4", film)
        older = self.world.agreement_body(family=self.family)
        chain = {
            "lineage": self.by_lab("lineage", self.lineage),
            "delivery": self.world.sealed("delivery", self.delivery),
            "delivery_agreement": self.signed(older, self.family) if self.upgraded else None,
            "agreement": self.signed(self.agreement, self.agreement_id),
            "grant": self.world.sealed(
                "grant", self.grant, agreement=AgreementRef(self.agreement_id, 1), id=self.ids("grt")
            )
            if self.upgraded
            else None,
            **self.documents,
        }
        body = {
            "output": self.ids("out"),
            "bytes_hash": sha256_hex(film),
            "bytes": len(film),
            "checkpoint": self.ids("ckp"),
            "name": "harbor",
            "weights_hash": self.weights,
            "lineage_digest": sha256_hex(chain["lineage"] or b""),
            "delivery": {"id": self.ids("dlv"), "root": self.root},
            "agreement": self.agreement_id,
            "granted": self.ids("grt") if self.upgraded else None,
            "purpose": self.agreement["purpose"],
            "mode": "text",
            "prompt_hash": "0" * 64,
            "seed": 0,
            "sampling": {"steps": 20, "guidance": "1", "shift": "1.5"},
            "frames": 12,
            "fps": "24/1",
            "width": 256,
            "height": 256,
            "model_size": 64,
            "ai_generated": True,
            "code": "fairframe 0.1.0",
            "chain": {name: None if data is None else data.decode() for name, data in chain.items()}
            | ({"ancestors": self.links} if self.links else {}),
            **self.changes,
            **changes,
        }
        self.world.write("film.mp4.fairframe.json", self.by_lab("film", body))
        return path


ANCESTOR = ancestor("house", "base-64")


@pytest.fixture
def chain(world: Any, ids: Any) -> Chain:
    return Chain(world, ids)


@pytest.mark.parametrize(("purpose", "upgraded"), [("research", False), ("commercial", False), ("commercial", True)])
def test_an_honest_film_holds(world: Any, ids: Any, purpose: str, upgraded: bool) -> None:
    report = world.check(Chain(world, ids, purpose, upgraded).write())
    assert report.kind == "film"
    assert report.holds, [finding for finding in report.findings if not finding.ok]
    assert any("C2PA" in text for text in report.cannot_show)


def test_a_film_without_its_sidecar(world: Any, failing: Failing) -> None:
    assert failing(world.check(world.write("film.mp4", FILM))) == {"film.no_sidecar"}


def test_other_pictures(world: Any, chain: Chain, failing: Failing) -> None:
    path = chain.write()
    path.write_bytes(FILM[:-1] + b"x")
    assert failing(world.check(path)) == {"film.hash"}
    path.write_bytes(FILM + b"x")
    assert failing(world.check(path)) == {"film.hash"}


def test_a_named_link_is_followed(world: Any, chain: Chain, tmp_path: Path) -> None:
    path = chain.write()
    path.rename(tmp_path / "elsewhere.mp4")
    path.symlink_to(tmp_path / "elsewhere.mp4")
    assert world.check(path).holds


@pytest.mark.parametrize(
    ("part", "changes", "codes"),
    [
        ("lineage", {"checkpoint": "ckp_" + "7" * 26}, {"chain.lineage"}),
        ("lineage", {"weights_hash": "0" * 64}, {"chain.lineage", "model.weights_hash"}),
        ("lineage", {"delivery": {"id": "dlv_" + "0" * 26, "root": "0" * 64, "items": 2}}, {"chain.trained_on"}),
        ("lineage", {"delivery": None}, {"document.field"}),
        ("lineage", {"family": "agr_" + "7" * 26}, {"chain.family"}),
        ("delivery", {"root": "0" * 64}, {"chain.delivery"}),
        ("delivery", {"delivery": "dlv_" + "7" * 26}, {"chain.delivery"}),
        ("delivery", {"more": 1}, {"document.field"}),
        ("agreement", term(NOW_MS - 400 * DAY_MS), {"chain.term"}),
        ("agreement", term(NOW_MS + 60_000), {"chain.term"}),
        ("agreement", {"purpose": "evaluate"}, {"agreement.bad"}),
        ("agreement", {"ends_at": to_rfc3339(NOW_MS + 900 * DAY_MS)}, {"agreement.bad"}),
        ("agreement", {"upgrade_of": "agr_" + "7" * 26}, {"agreement.bad"}),
        ("agreement", {"starts_at": "soon"}, {"document.field"}),
        ("agreement", {"terms": []}, {"document.field"}),
    ],
)
def test_a_document_that_tells_another_story(
    world: Any, chain: Chain, failing: Failing, part: str, changes: dict[str, Any], codes: set[str]
) -> None:
    getattr(chain, part).update(changes)
    assert failing(world.check(chain.write(purpose="research"))) == codes


def test_a_model_that_used_another_delivery(world: Any, chain: Chain, ids: Any, failing: Failing) -> None:
    chain.lineage["usage"]["items"][1]["source"] = ids("dlv", 6)
    assert failing(world.check(chain.write())) == {"model.sources"}
    chain.lineage["usage"]["items"].pop()
    assert failing(world.check(chain.write())) == {"model.usage"}


def test_an_ancestor_whose_chain_is_not_here(world: Any, chain: Chain, failing: Failing) -> None:
    chain.lineage["ancestors"] = [ancestor("checkpoint", "stolen-model")]
    assert failing(world.check(chain.write())) == {"chain.ancestors"}


def test_a_film_whose_model_descends_from_others(world: Any, chain: Chain, failing: Failing) -> None:
    first = chain.older(1, ancestors=[{**chain.older(2), "role": "teacher"}])
    chain.lineage["ancestors"] = [first]
    report = world.check(chain.write())
    assert report.holds, [finding for finding in report.findings if finding.ok is False]
    texts = [finding.text for finding in report.findings]
    assert any("each of the 2 ancestors" in text for text in texts)
    assert any("older-2 (checkpoint" in text and "as its teacher" in text for text in texts)
    kept = list(chain.links)
    for number, gone in enumerate(kept):
        chain.links = [one for one in kept if one is not gone]
        assert failing(world.check(chain.write())) == {"chain.ancestors"}, number
    chain.links = [{**kept[0], "agreement": None}, kept[1]]
    assert failing(world.check(chain.write())) == {"dsse.malformed"}
    narrow = world.agreement_body(purpose="evaluate", family=chain.family)
    chain.links = [{**kept[0], "agreement": chain.signed(narrow, chain.agreement_id).decode()}, kept[1]]
    assert failing(world.check(chain.write())) == {"chain.purpose"}
    chain.links = [{**kept[0], "ancestors": []}, kept[1]]
    assert failing(world.check(chain.write())) == {"document.field"}
    other = lineage_body(chain.ids, checkpoint=chain.ids("ckp", 1))
    stolen = seal(world.bundle("lineage", other, sender=world.stranger.id), world.stranger.private)
    chain.links = [{**kept[0], "lineage": stolen.decode()}, kept[1]]
    assert "dsse.unknown_key" in failing(world.check(chain.write()))


def test_a_film_of_a_merge(world: Any, ids: Any, failing: Failing) -> None:
    honest = Chain(world, ids)
    honest.merged()
    report = world.check(honest.write())
    assert report.holds, [finding for finding in report.findings if finding.ok is False]

    def merged(lineage: dict[str, Any] | None = None, **documents: Any) -> Chain:
        one = Chain(world, ids)
        one.merged()
        one.lineage |= lineage or {}
        one.documents |= documents
        return one

    used = {"method": "measured", "frames": 3, "house_frames": 3, "items": []}
    assert failing(world.check(merged({"usage": used}).write())) == {"model.usage"}
    assert failing(world.check(merged({"ancestors": []}).write())) == {"model.merged"}
    assert failing(world.check(merged({"family": ids("agr")}).write())) == {"document.field"}
    beside = merged(delivery=world.sealed("delivery", honest.delivery))
    assert "chain.delivery" in failing(world.check(beside.write()))
    alone = merged()
    alone.links = []
    assert failing(world.check(alone.write())) == {"chain.agreement", "chain.ancestors"}
    assert "chain.trained_on" in failing(world.check(merged().write(delivery={"id": ids("dlv"), "root": "ab" * 32})))


def test_what_an_ancestor_is_stays_the_labs_word(world: Any, chain: Chain) -> None:
    chain.lineage["ancestors"] = [{**ancestor("external", "T5"), "data": "undisclosed"}]
    report = world.check(chain.write())
    (unseen,) = [one for one in report.findings if one.ok is None]
    assert report.holds and "T5 (external, license Apache-2.0, data undisclosed)" in unseen.text
    assert report.outcome.endswith("1 could not be made")


def test_an_agreement_for_less_than_the_film_needs(world: Any, chain: Chain, failing: Failing) -> None:
    chain.agreement = world.agreement_body(purpose="evaluate", family=chain.family)
    assert failing(world.check(chain.write(purpose="research"))) == {"chain.purpose"}


def test_a_research_agreement_does_not_cover_a_commercial_film(world: Any, chain: Chain, failing: Failing) -> None:
    assert failing(world.check(chain.write(purpose="commercial"))) == {"chain.purpose"}


def test_a_commercial_agreement_without_commercial_output(world: Any, ids: Any, failing: Failing) -> None:
    chain = Chain(world, ids, "commercial")
    chain.agreement["terms"]["commercial_output"] = False
    assert failing(world.check(chain.write())) == {"chain.purpose"}


@pytest.mark.parametrize("field", ["checkpoint", "weights_hash", "agreement"])
def test_a_grant_for_something_else(world: Any, ids: Any, failing: Failing, field: str) -> None:
    chain = Chain(world, ids, "commercial", True)
    chain.grant[field] = "0" * 64 if field == "weights_hash" else chain.grant[field][:-1] + "3"
    assert failing(world.check(chain.write())) == {"chain.grant"}


def test_a_grant_in_another_form(world: Any, ids: Any, failing: Failing) -> None:
    chain = Chain(world, ids, "commercial", True)
    chain.grant["more"] = 1
    assert failing(world.check(chain.write())) == {"document.field"}


def test_a_grant_that_is_left_out(world: Any, ids: Any, failing: Failing) -> None:
    chain = Chain(world, ids, "commercial", True)
    chain.documents["grant"] = None
    assert failing(world.check(chain.write())) == {"chain.grant"}
    assert failing(world.check(chain.write(granted=None))) == {"chain.grant"}
    chain.documents["delivery_agreement"] = None
    assert failing(world.check(chain.write(granted=None))) == {"chain.delivered_under"}


def test_a_grant_that_the_lab_signed_itself(world: Any, ids: Any, failing: Failing) -> None:
    chain = Chain(world, ids, "commercial", True)
    chain.documents["grant"] = chain.by_lab("grant", chain.grant, id=ids("grt"))
    assert failing(world.check(chain.write())) == {"document.issuer", "chain.grant"}


def test_an_agreement_that_the_library_alone_signed(world: Any, chain: Chain, failing: Failing) -> None:
    ref = AgreementRef(chain.agreement_id, 1)
    chain.documents["agreement"] = world.sealed("agreement", chain.agreement, id=ref.id, agreement=ref)
    assert failing(world.check(chain.write())) == {"document.signature"}


def test_documents_in_each_others_place(world: Any, chain: Chain, failing: Failing) -> None:
    chain.documents["delivery"] = chain.by_lab("lineage", chain.lineage)
    assert failing(world.check(chain.write())) == {"chain.type"}


@pytest.mark.parametrize("name", ["lineage", "delivery", "agreement"])
@pytest.mark.parametrize("value", [None, b"", b"{}", b"x"])
def test_a_chain_with_a_gap(world: Any, chain: Chain, name: str, value: bytes | None) -> None:
    honest = chain.by_lab("lineage", chain.lineage)
    chain.documents[name] = value
    assert not world.check(chain.write(lineage_digest=sha256_hex(honest))).holds


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "war"},
        {"ai_generated": False},
        {"fps": "é\0\x1b"},
        {"fps": "0/1"},
        {"fps": "48/2"},
        {"fps": "999999999/1"},
        {"width": 10**12},
        {"height": 0},
        {"frames": 2**53 - 1},
        {"model_size": 10**12},
        {"code": "\x1b[2J"},
        {"name": "m\x1b[2Jall holds"},
        {"name": " "},
        {"bytes": 1},
        {"bytes": 0},
        {"frames": 0},
        {"mode": "magic"},
        {"chain": None},
        {"chain": {}},
        {"more": 1},
        {"name": None},
        {"sampling": {"steps": 1, "guidance": "-1", "shift": "1"}},
        {"agreement": "agr_" + "7" * 26},
        {"lineage_digest": "0" * 64},
        {"weights_hash": "0" * 64},
        {"delivery": {"id": "dlv_" + "7" * 26, "root": "ab" * 32}},
        {"granted": "grt_" + "0" * 26},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_signed_sidecar_that_does_not_fit(world: Any, chain: Chain, changes: dict[str, Any]) -> None:
    assert not world.check(chain.write(**changes)).holds


def test_a_sidecar_of_another_type_or_signer(world: Any, chain: Chain, failing: Failing) -> None:
    path = chain.write()
    world.write("film.mp4.fairframe.json", chain.by_lab("lineage", chain.lineage))
    assert failing(world.check(path)) == {"film.type"}
    world.write("film.mp4.fairframe.json", world.sealed("film", {}))
    assert failing(world.check(path)) == {"document.issuer"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_byte_edit_is_found(world: Any, ids: Any, data: st.DataObject) -> None:
    path = Chain(world, ids, "commercial", True).write()
    edited = data.draw(st.sampled_from([path, path.with_name("film.mp4.fairframe.json")]))
    content = bytearray(edited.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    edited.write_bytes(bytes(content))
    assert not world.check(path).holds


# models


def lineage_of(world: Any, ids: Any, folder: Path, **changes: Any) -> bytes:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    plain = {"sender": world.lab.id, "recipient": ""}
    return seal(world.bundle("lineage", lineage_body(ids, **changes), **plain), world.lab.private)


def model(world: Any, ids: Any, **changes: Any) -> Path:
    folder: Path = world.folder / "model"
    folder.mkdir(exist_ok=True)
    (folder / "validation").mkdir(exist_ok=True)
    (folder / "validation" / "step-1.png").write_bytes(b"png")
    (folder / "curves.json").write_bytes(b"{}")
    (folder / "lineage.json").write_bytes(lineage_of(world, ids, folder, **changes))
    return folder


def test_an_honest_model_holds(world: Any, ids: Any) -> None:
    report = world.check(model(world, ids))
    assert report.kind == "model"
    assert report.holds, [finding for finding in report.findings if not finding.ok]


def test_changed_missing_and_added_files(world: Any, ids: Any, failing: Failing) -> None:
    folder = model(world, ids)
    (folder / "vae" / "weights").write_bytes(b"other")
    assert failing(world.check(folder)) == {"model.changed"}
    (folder / "window.json").unlink()
    (folder / "transformer" / "adapter").write_bytes(b"")
    assert failing(world.check(folder)) == {"model.changed", "model.missing", "model.extra"}


def test_a_file_replaced_by_a_link(world: Any, ids: Any, failing: Failing) -> None:
    folder = model(world, ids)
    (folder / "vae").rename(world.folder / "away")
    (folder / "vae").symlink_to(world.folder / "away")
    assert failing(world.check(folder)) == {"model.missing", "model.extra"}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"files": {"../secret": "0" * 64}}, {"model.path"}),
        ({"files": {"/etc/passwd": "0" * 64}}, {"model.path"}),
        ({"files": {}}, {"model.files"}),
        ({"weights_hash": "0" * 64}, {"model.weights_hash"}),
        ({"recipe": "{}"}, {"model.recipe"}),
        ({"usage": {"method": "measured", "frames": 5, "house_frames": 4, "items": []}}, {"model.usage"}),
        ({"usage": {"method": "guessed", "frames": 4, "house_frames": 4, "items": []}}, {"document.field"}),
        ({"ancestors": [{}]}, {"document.field"}),
        ({"ancestors": [{**ANCESTOR, "role": "friend"}]}, {"document.field"}),
        ({"delivery": None}, {"document.field"}),
        ({"more": 1}, {"document.field"}),
    ],
)
def test_a_signed_lineage_that_does_not_fit(
    world: Any, ids: Any, failing: Failing, changes: dict[str, Any], codes: set[str]
) -> None:
    assert failing(world.check(model(world, ids, **changes))) == codes


def test_ancestors_that_weigh_more_than_the_model(world: Any, ids: Any, failing: Failing) -> None:
    one = {"kind": "external", "name": "T5", "hash": "0", "license": "other", "data": "undisclosed"}
    many = [{**one, "weight_num": 2, "weight_den": 3}] * 2
    assert failing(world.check(model(world, ids, ancestors=many))) == {"model.weights"}


def test_an_item_counted_twice(world: Any, ids: Any, failing: Failing) -> None:
    use = {"source": ids("dlv"), "item": ids("itm"), "frames": 5}
    usage = {"method": "measured", "frames": 10, "house_frames": 0, "items": [use, use]}
    assert failing(world.check(model(world, ids, usage=usage))) == {"model.usage_once"}


def test_a_lineage_that_a_stranger_signed(world: Any, ids: Any, failing: Failing) -> None:
    folder = model(world, ids)
    path = folder / "lineage.json"
    envelope = dsse.read_envelope(path.read_bytes())
    path.write_bytes(dsse.sign(envelope.payload_type, envelope.payload, world.stranger.private))
    assert failing(world.check(folder)) == {"dsse.unknown_key"}
    path.write_bytes(canonical({}))
    assert failing(world.check(folder)) == {"dsse.malformed"}
