"""`verify` of a checkpoint that consumed what was taken back says so, under each remedy, on both sides."""

from pathlib import Path
from typing import Any

import pytest

from fairframe.core.attestation_body import AttestationBody
from fairframe.core.bundle import AgreementRef, read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.finding import Finding
from fairframe.core.ids import new_id
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.core.usage_report_body import TYPE, ItemUse, UsageReport
from fairframe.dataset import loader
from fairframe.flows import deletion, opt_out
from fairframe.flows.taken_back import CODE
from fairframe.flows.verify import trust_of
from fairframe.flows.withdrawn import FILM_CODE, with_withdrawn
from fairframe.library import contributors
from fairframe.platform import bundles
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements
from fairframe.training import lineage, reported
from fairframe.training.tables import checkpoint, usage
from fairframe.training.usage import UsageCount
from fairframe.verify.kind import Report
from fairframe.verify.registry import verify

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)
from .test_deletion import accepted, attested, fed, offered, under

ANA, BEN, _ = PEOPLE
CHECKED = Finding(True, "document.form", "the rest holds")


def trained(loop: Loop, *people: str) -> Path:  # noqa: F811
    """A model's folder with its signed lineage, known to the lab as its own and reported to the library."""
    items = sorted(one for who in people for one in loop.items_of(who))
    received: Any = loop.received
    folder = loop.lab.root / "models" / "harbor"
    (folder / "vae").mkdir(parents=True)
    (folder / "vae" / "config.json").write_text("{}")
    files = lineage.model_files(folder)
    with loop.lab.write() as tx:
        (row,) = tx.rows(sa_deliveries())
        body = lineage.lineage_body(
            checkpoint=new_id("ckp"),
            name="harbor",
            files=files,
            delivery={"id": received.id, "root": row["root"], "items": row["items"]},
            family=loop.agreement,
            recipe={},
            code="test",
            method="measured",
            usage=[UsageCount(received.id, one, 17) for one in items],
            ancestors=[],
            made_at=to_rfc3339(tx.now_ms),
        )
        sealed = bundles.issue(tx, "lineage", "", body)
        (folder / "lineage.json").write_bytes(sealed)
        ref = AgreementRef(loop.agreement, 1)
        said = UsageReport(
            checkpoint=body["checkpoint"],
            name="harbor",
            weights_hash=body["weights_hash"],
            lineage_digest="c" * 64,
            family=loop.agreement,
            delivery=received.id,
            method="measured",
            house_frames=0,
            items=tuple(ItemUse(one, 17) for one in items),
        )
        row_id = tx.insert(
            checkpoint,
            public_id=body["checkpoint"],
            direction="own",
            party=loop.lab.party_id,
            name="harbor",
            weights_hash=body["weights_hash"],
            lineage=sealed.decode(),
            family=loop.agreement,
            agreement=loop.agreement,
            delivery=received.id,
            folder="models/harbor",
            frames_seen=17 * len(items),
        )
        uses = [{"checkpoint_id": row_id, "source": received.id, "item": one, "frames": 17} for one in items]
        tx.insert_many(usage, [{**one, "method": "measured"} for one in uses])
        envelope = bundles.issue(tx, TYPE, loop.library.party_id, said.to_body(), ref)
    with loop.library.write() as tx:
        reported.keep(tx, loop.lab.party_id, loop.agreement, said, envelope)
    return folder


def sa_deliveries() -> Any:
    from fairframe.dataset.tables import delivery

    return delivery.select().where(delivery.c.direction == "in")


def flag(ws: Workspace, path: Path) -> Finding:
    """What is said of clips that were taken back; everything else about the model holds."""
    report = verify(path, trust_of(ws, []), ws.clock())
    assert report.holds, [one for one in report.findings if one.ok is False]
    (found,) = [one for one in with_withdrawn(report, path, ws).findings if one.code == CODE]
    return found


@pytest.mark.parametrize("remedy", ["grandfather", "stop_at_next_epoch", "withdraw"])
def test_a_checkpoint_that_consumed_what_was_taken_back(loop: Loop, remedy: str) -> None:  # noqa: F811
    under(loop, offered(loop, "research", "deal", opt_out_remedy=f'"{remedy}"'))
    folder = trained(loop, ANA, BEN)
    both = ((loop.lab, folder), (loop.library, folder / "lineage.json"))
    for ws, path in both:
        assert flag(ws, path).ok and "none of the 6 items" in flag(ws, path).text
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    assert "none of the 6" in flag(loop.lab, folder).text, "a lab knows what a feed told it"
    fed(loop)
    for ws, path in both:
        found = flag(ws, path)
        assert found.ok is (remedy != "withdraw")
        assert "68 frames of 4 items that were taken back" in found.text
        assert ("to be deleted" if remedy == "withdraw" else f"remedy {remedy}") in found.text
        assert "removed" not in found.text and "unlearned" not in found.text


def test_what_was_made_of_a_checkpoint_tells_it_too(loop: Loop, tmp_path: Path) -> None:  # noqa: F811
    """A merge was trained on nothing itself; a library knows its ancestor by a report alone."""
    under(loop, offered(loop, "research", "deal", opt_out_remedy='"grandfather"'))
    folder = trained(loop, ANA, BEN)
    of = read_payload(read_envelope((folder / "lineage.json").read_bytes()).payload).body
    soup = {**of, "name": "soup", "weights_hash": "ab" * 32, "delivery": None, "usage": {**of["usage"], "items": []}}
    soup["ancestors"] = [{"kind": "checkpoint", "name": "harbor", "hash": of["weights_hash"]}]
    path = tmp_path / "lineage.json"
    with loop.lab.write() as tx:
        path.write_bytes(bundles.issue(tx, "lineage", "", soup))
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    for ws in (loop.lab, loop.library):
        (found,) = with_withdrawn(Report("document", (CHECKED,), ()), path, ws).findings[1:]
        assert (found.ok, found.code) == (True, CODE) and found.text.startswith("its ancestor harbor: it consumed 68")


def filmed(lab: Workspace, folder: Path, path: Path) -> Path:
    """The sidecar of a film that the model of a folder made, as far as it tells of the model."""
    with lab.write() as tx:
        chain = {"lineage": (folder / "lineage.json").read_text()}
        path.with_name(f"{path.name}.fairframe.json").write_bytes(bundles.issue(tx, "film", "", {"chain": chain}))
    return path


def of_film(ws: Workspace, film: Path) -> dict[str, Finding]:
    return {one.code: one for one in with_withdrawn(Report("film", (CHECKED,), ()), film, ws).findings}


@pytest.mark.parametrize("remedy", ["grandfather", "withdraw"])
def test_a_film_of_a_model_whose_clips_were_taken_back(loop: Loop, tmp_path: Path, remedy: str) -> None:  # noqa: F811
    under(loop, offered(loop, "research", "deal", opt_out_remedy=f'"{remedy}"'))
    folder = trained(loop, ANA, BEN)
    film = filmed(loop.lab, folder, tmp_path / "film.mp4")
    for ws in (loop.lab, loop.library):
        found = of_film(ws, film)[FILM_CODE]
        assert found.ok and "of its model harbor: none of the 6 items" in found.text
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    for ws in (loop.lab, loop.library):
        found = of_film(ws, film)[FILM_CODE]
        assert found.ok is (True if remedy == "grandfather" else None), "nobody agreed on what becomes of such a film"
        assert "68 frames of 4 items that were taken back" in found.text
        assert ("stands in no term" in found.text) is (remedy == "withdraw")
        by_name = with_withdrawn(Report("document", (CHECKED,), ()), sidecar(film), ws)
        assert by_name.findings[-1] == found, "its sidecar says the same"
    if remedy == "withdraw":
        loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
        sealed = (folder / "lineage.json").read_bytes()
        accepted(loop, attested(loop))
        told = of_film(loop.lab, film)
        assert told[FILM_CODE].ok and "its deletion was attested" in told[FILM_CODE].text
        assert told["film.model_deleted"].ok and "before" in told["film.model_deleted"].text
        folder.mkdir()
        (folder / "lineage.json").write_bytes(sealed)
        loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
        late = filmed(loop.lab, folder, tmp_path / "late.mp4")
        for ws in (loop.lab, loop.library):
            assert of_film(ws, late)["film.model_deleted"].ok is False


def sidecar(film: Path) -> Path:
    return film.with_name(f"{film.name}.fairframe.json")


def test_a_film_of_a_merge_tells_of_ancestors_that_only_its_chain_knows(loop: Loop, tmp_path: Path) -> None:  # noqa: F811
    under(loop, offered(loop, "research", "deal", opt_out_remedy='"grandfather"'))
    folder = trained(loop, ANA, BEN)
    of = read_payload(read_envelope((folder / "lineage.json").read_bytes()).payload).body
    unknown = {**of, "name": "unknown", "weights_hash": "ef" * 32, "ancestors": []}
    soup = {**of, "name": "soup", "weights_hash": "ab" * 32, "delivery": None, "usage": {**of["usage"], "items": []}}
    soup["ancestors"] = [{"kind": "checkpoint", "name": "unknown", "hash": "ef" * 32}]
    film = tmp_path / "film.mp4"
    with loop.lab.write() as tx:
        whole, part = (bundles.issue(tx, "lineage", "", one).decode() for one in (soup, unknown))
        chain = {"lineage": whole, "ancestors": [{"lineage": part}]}
        sidecar(film).write_bytes(bundles.issue(tx, "film", "", {"chain": chain}))
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    for ws in (loop.lab, loop.library):
        assert "its ancestor unknown: it consumed 68 frames" in of_film(ws, film)[FILM_CODE].text


@pytest.mark.usefixtures("at_lab")
def test_the_end_of_the_agreement_reaches_every_model(loop: Loop) -> None:  # noqa: F811
    folder = trained(loop, BEN)
    with loop.library.write() as tx:
        agreements.terminate(tx, loop.agreement, "unpaid")
    fed(loop)
    for ws, path in ((loop.lab, folder), (loop.library, folder / "lineage.json")):
        assert flag(ws, path).ok is False and "to be deleted" in flag(ws, path).text


def test_a_copy_of_a_model_whose_deletion_was_attested(loop: Loop, tmp_path: Path) -> None:  # noqa: F811
    import shutil

    under(loop, offered(loop, "research", "deal", opt_out_remedy='"withdraw"'))
    folder = trained(loop, ANA)
    shutil.copytree(folder, tmp_path / "copy")
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    loop.lab.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    attested(loop)
    assert not folder.exists()
    report = verify(tmp_path / "copy", trust_of(loop.lab, []), loop.lab.clock())
    findings = with_withdrawn(report, tmp_path / "copy", loop.lab).findings
    assert [one.code for one in findings if one.ok is False] == ["model.deleted"]
    assert "lets it stay" not in " ".join(one.text for one in findings)


def test_unlearning_is_attempted_and_settles_nothing(loop: Loop) -> None:  # noqa: F811
    under(loop, offered(loop, "research", "deal", opt_out_remedy='"grandfather"'))
    folder = trained(loop, ANA, BEN)
    with loop.lab.read() as tx:
        row = loader.find_delivery(tx, "squares")
        tried = deletion.attempt(tx, "harbor", "gradient ascent on the items", "loss on them rose from 0.21 to 0.90")
        for method, evaluation in (("", "x"), ("x", " "), ("x" * 3_000, "x")):
            with pytest.raises(InputError):
                deletion.attempt(tx, "harbor", method, evaluation)
    with loop.lab.write() as tx:
        alone = deletion.attest(tx, row, [tried])
    with loop.library.write() as tx:
        done = deletion.accept(tx, alone)
        assert (done.items, done.body.models, done.body.attempts) == (0, (), (tried,)), "nothing has to be due for it"
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    with loop.lab.write() as tx:
        sealed = deletion.attest(tx, row, [tried])
    with loop.library.write() as tx:
        assert deletion.accept(tx, sealed).items == 4
    path = loop.tmp / "attestation.json"
    sealed.write(path)
    assert verify(path, trust_of(loop.library, []), loop.lab.clock()).holds
    found = flag(loop.lab, folder)
    assert found.ok and "68 frames of 4 items" in found.text, "the model consumed them still"
    body = AttestationBody.from_json(read_payload(read_envelope(sealed.envelope).payload).body).to_json()
    assert "no deletion" in body["statement"] and "attempted" in body["statement"]
    for change in ({"attempts": []}, {"statement": "the model unlearned them"}, {"attempts": [{"checkpoint": "x"}]}):
        with pytest.raises(BadDocument):
            AttestationBody.from_json({**body, **change})


def test_nobody_attempts_unlearning_on_what_is_deleted(loop: Loop) -> None:  # noqa: F811
    under(loop, offered(loop, "research", "deal", opt_out_remedy='"withdraw"'))
    trained(loop, ANA)
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    fed(loop)
    with loop.lab.read() as tx:
        row, tried = loader.find_delivery(tx, "squares"), deletion.attempt(tx, "harbor", "noise", "none")
    with loop.lab.write() as tx, pytest.raises(InputError) as error:
        deletion.attest(tx, row, [tried])
    assert error.value.code == "attest.gone"
    with loop.lab.write() as tx:
        deletion.attest(tx, row)
    with loop.lab.read() as tx, pytest.raises(InputError) as error:
        deletion.attempt(tx, "harbor", "noise", "none")
    assert error.value.code == "attest.gone"
