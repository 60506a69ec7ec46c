"""Ingest with real files on real databases: what comes in, what is refused, and that nothing is done twice."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError
from fairframe.flows.ingest import IngestReport, ingest
from fairframe.library import collections, facts, search, walk
from fairframe.library.show import show
from fairframe.library.tables import asset, asset_fact, contributor, ownership, refusal, signal
from fairframe.media.credentials import film_manifest, sign_mp4
from fairframe.platform.settings import Settings
from fairframe.platform.tables import audit_entry, run
from fairframe.rights import holds


def count(ws, table):
    with ws.read() as tx:
        return tx.scalar(sa.select(sa.func.count()).select_from(table))


def stored(ws):
    """Keys of all objects; no unfinished file may lie among them."""
    files = [path for path in ws.objects.root.rglob("*") if path.is_file()]
    assert all(len(path.name) == 64 for path in files), files
    return {path.name for path in files}


def named(ws):
    """Keys of all objects that a row names."""
    with ws.read() as tx:
        keys = [tuple(r.values()) for r in tx.rows(sa.select(asset.c.content_hash, asset.c.poster_key))]
        raws = tx.conn.execute(sa.select(signal.c.raw_key)).scalars()
        return {key for pair in keys for key in pair} | {key for key in raws if key}


def codes(report: IngestReport) -> dict[str, str]:
    return {one.filename: one.code for one in report.refused}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "footage"
    path.mkdir()
    return path


def test_a_folder_with_metadata_becomes_assets(library, folder, film, metadata_csv):
    film(folder / "sea" / "waves.mp4", frames=24)
    film(folder / "dog.mov", seed=1, width=64, height=96)
    (folder / "notes.txt").write_text("not for ingest")
    (folder / ".hidden.mp4").write_text("not for ingest")
    csv = metadata_csv(
        folder / "metadata.csv",
        {"filename": "sea/waves.mp4", "contributor": "Ana", "title": "Waves", "keywords": "sea;dusk"},
        {"filename": "dog.mov", "contributor": "Bo", "people": "yes", "model_release": "released"},
    )
    seen = []
    report = ingest(library, folder, metadata=csv, show=lambda *step: seen.append(step))
    assert (report.accepted, report.known, report.refused, report.held) == (2, 0, [], 0)
    assert report.ignored == [("notes.txt", "not a video by its name")]
    assert report.duration_ms == 1500
    assert seen[0] == (0, 2, "dog.mov") and seen[-1] == (2, 2, "")
    with library.read() as tx:
        waves = show(tx, "sea/waves.mp4")
        assert waves.contributor["name"] == "Ana"
        assert waves.facts == {
            "people": "no",
            "model_release": "not needed",
            "property_release": "not needed",
            "editorial": "no",
        }
        row = waves.asset
        assert (row["width"], row["height"], row["frames"], row["fps_num"], row["fps_den"]) == (96, 64, 24, 24, 1)
        assert (row["quantity"], row["unit"], row["kind"], row["codec"]) == (1000, "ms", "video", "h264")
        assert row["keywords"] == ["sea", "dusk"] and row["title"] == "Waves"
        assert library.objects.verify(row["content_hash"])
        assert library.objects.read(row["poster_key"]).startswith(b"\xff\xd8\xff")
        assert library.objects.read(row["content_hash"]) == (folder / "sea" / "waves.mp4").read_bytes()
        assert show(tx, "dog.mov").facts["model_release"] == "released"
        found = tx.row(run.select().where(run.c.public_id == report.run))
        assert found["state"] == "done" and found["result"]["accepted"] == 2
    assert stored(library) == named(library)


def test_again_changes_nothing(library, folder, film):
    film(folder / "a.mp4")
    film(folder / "b.mp4", seed=1)
    ingest(library, folder, contributor="Ana")
    before = [count(library, table) for table in (asset, asset_fact, ownership, signal, contributor, audit_entry)]
    report = ingest(library, folder, contributor="Ana")
    assert (report.accepted, report.known, report.changed, report.notes) == (0, 2, 0, [])
    assert [count(library, t) for t in (asset, asset_fact, ownership, signal, contributor, audit_entry)] == before
    (folder / "a.mp4").rename(folder / "renamed.mp4")
    assert ingest(library, folder, contributor="Ana").known == 2


def test_what_metadata_says_anew_is_appended_and_the_rest_is_kept(library, folder, film, metadata_csv, clock):
    film(folder / "a.mp4")
    line = {"filename": "a.mp4", "contributor": "Ana", "title": "Waves"}
    ingest(library, folder, metadata=metadata_csv(folder / "1.csv", {**line, "people": "yes"}))
    clock.advance(1000)
    report = ingest(library, folder, metadata=metadata_csv(folder / "2.csv", {**line, "title": "Sea"}))
    assert (report.known, report.changed) == (1, 1)
    assert report.notes == ["a.mp4: the metadata has another title now; what was stored is kept."]
    clock.advance(1000)
    # without metadata nothing is said, so nothing changes
    assert ingest(library, folder, contributor="Ana").changed == 0
    with library.read() as tx:
        shown = show(tx, "a.mp4")
        assert shown.asset["title"] == "Waves"
        assert [said.value for said in shown.history if said.name == "people"] == ["yes", "no"]
        assert shown.facts["people"] == "no"
        assert facts.current(tx, shown.asset["id"], at_ms=clock.now - 2000)["people"] == "yes"


def test_metadata_puts_assets_into_collections_and_never_out_of_them(library, folder, film, metadata_csv):
    film(folder / "a.mp4")
    film(folder / "b.mp4", seed=1)
    first = [
        {"filename": "a.mp4", "contributor": "Ana", "collection": "Harbor; Dusk ;Harbor"},
        {"filename": "b.mp4", "contributor": "Bo", "collection": "Harbor"},
    ]
    assert ingest(library, folder, metadata=metadata_csv(folder / "1.csv", *first)).accepted == 2
    with library.read() as tx:
        found = [(one["name"], one["contributor_name"], one["assets"]) for one in collections.listing(tx)]
        assert found == [("Dusk", "Ana", 1), ("Harbor", "Ana", 1), ("Harbor", "Bo", 1)]
    later = [{**first[0], "collection": "Boats"}, {**first[1], "collection": ""}]
    report = ingest(library, folder, metadata=metadata_csv(folder / "2.csv", *later))
    assert (report.known, report.changed, report.notes) == (2, 1, [])
    assert ingest(library, folder, metadata=folder / "2.csv").changed == 0
    with library.read() as tx:
        assert [one["name"] for one in show(tx, "a.mp4").collections] == ["Dusk", "Harbor", "Boats"]
        assert [one["name"] for one in show(tx, "b.mp4").collections] == ["Harbor"]


def test_a_file_of_nobody_is_refused_and_the_batch_goes_on(library, folder, film, metadata_csv):
    film(folder / "a.mp4")
    film(folder / "b.mp4", seed=1)
    film(folder / "c.mp4", seed=2)
    csv = metadata_csv(folder / "m.csv", {"filename": "a.mp4", "contributor": "Ana"}, {"filename": "b.mp4"})
    report = ingest(library, folder, metadata=csv)
    assert report.accepted == 1
    assert codes(report) == {"b.mp4": "input.no_contributor", "c.mp4": "input.no_contributor"}
    assert report.refused[0].message == (
        "nobody is named as its contributor (b.mp4). Name one in the metadata, or say --contributor."
    )
    again = ingest(library, folder, metadata=csv, contributor="Bo")
    assert (again.accepted, again.known) == (2, 1)
    with library.read() as tx:
        assert show(tx, "a.mp4").contributor["name"] == "Ana"
        assert show(tx, "c.mp4").contributor["name"] == "Bo"


def test_broken_files_get_one_line_each_and_leave_nothing(library, folder, film, monkeypatch):
    whole = film(folder / "good.mp4", frames=48).read_bytes()
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("hello")
    (folder / "noise.mkv").write_bytes(os.urandom(4096))
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "big.mp4").write_bytes(whole + b"\x00" * 3_000_000)
    (folder / "nowhere.mp4").symlink_to(folder / "none.mp4")
    (folder / "self.mp4").symlink_to(folder / "self.mp4")
    os.mkfifo(folder / "pipe.mp4")
    monkeypatch.setattr(walk, "MAX_FILE_BYTES", 2_000_000)
    report = ingest(library, folder, contributor="Ana")
    assert report.accepted == 1
    assert codes(report) == {
        "big.mp4": "input.bad_file",
        "cut.mp4": "media.broken",
        "empty.mp4": "input.bad_file",
        "noise.mkv": "media.not_media",
        "nowhere.mp4": "input.bad_file",
        "pipe.mp4": "input.bad_file",
        "self.mp4": "input.bad_file",
        "text.mp4": "media.not_media",
    }
    for one in report.refused:
        assert f"({one.filename})" in one.message and "\n" not in one.message
        assert str(library.root) not in one.message
    assert stored(library) == named(library)
    with library.read() as tx:
        (row,) = tx.rows(run.select().where(run.c.public_id == report.run))
        written = tx.rows(refusal.select().where(refusal.c.run_id == row["id"]).order_by(refusal.c.id))
        assert [(r["filename"], r["code"], r["message"]) for r in written] == [
            (one.filename, one.code, one.message) for one in report.refused
        ]
        assert len(search.listing(tx).rows) == 1


def test_links_do_not_lead_out_of_the_folder(library, folder, film, tmp_path):
    secret = film(tmp_path / "secret" / "secret.mp4")
    film(folder / "mine.mp4", seed=1)
    (folder / "out.mp4").symlink_to(secret)
    (folder / "folder").symlink_to(secret.parent)
    (folder / "twin.mp4").symlink_to(folder / "mine.mp4")
    report = ingest(library, folder, contributor="Ana")
    assert (report.accepted, report.known) == (1, 1)
    assert codes(report) == {"out.mp4": "input.bad_file"}
    assert "leaves the folder" in report.refused[0].message
    assert report.ignored == [("folder", "a link to a folder")]


def test_a_name_that_is_no_text_is_refused(library, folder, film):
    path = film(folder / "a.mp4")
    path.rename(Path(os.fsdecode(os.fsencode(folder) + b"/b\xff.mp4")))
    film(folder / "c\x1b[31m.mp4", seed=1)
    report = ingest(library, folder, contributor="Ana")
    assert report.accepted == 0
    assert [one.code for one in report.refused] == ["input.bad_file"] * 2
    assert codes(report).keys() == {"b\ufffd.mp4", "c\ufffd[31m.mp4"}


def test_metadata_that_fits_no_file_is_refused_by_name(library, folder, film, metadata_csv):
    film(folder / "a.mp4")
    csv = metadata_csv(
        folder / "m.csv",
        {"filename": "A.mp4", "contributor": "Ana"},
        {"filename": "../a.mp4", "contributor": "Ana"},
        {"filename": "a.mp4", "contributor": "Ana", "people": "perhaps"},
    )
    report = ingest(library, folder, metadata=csv)
    assert report.accepted == 0
    assert codes(report) == {"line 3": "input.bad_row", "A.mp4": "input.absent", "a.mp4": "input.bad_row"}
    assert [one.message for one in report.refused if one.filename == "a.mp4"] == [
        "people cannot be 'perhaps' (a.mp4; m.csv, line 4). Say one of: yes, no, unknown; or leave it blank."
    ]
    with pytest.raises(InputError) as caught:
        ingest(library, folder, metadata=folder / "a.mp4")
    assert caught.value.code == "input.bad_csv"


def test_one_file_finds_its_line_from_any_folder(library, folder, film, metadata_csv):
    path = film(folder / "sea" / "a.mp4")
    film(folder / "a.mp4", seed=1)
    csv = metadata_csv(
        folder / "m.csv",
        {"filename": "a.mp4", "contributor": "Bo"},
        {"filename": "sea/a.mp4", "contributor": "Ana", "title": "Waves"},
    )
    report = ingest(library, path, metadata=csv)
    assert (report.accepted, report.refused) == (1, [])
    with library.read() as tx:
        assert show(tx, "sea/a.mp4").contributor["name"] == "Ana"
    with pytest.raises(InputError):
        ingest(library, folder / "none")


def test_the_same_bytes_from_two_contributors_are_on_hold_on_both_sides(library, folder, film, metadata_csv):
    data = film(folder / "a.mp4").read_bytes()
    (folder / "copy.mp4").write_bytes(data)
    (folder / "theirs.mp4").write_bytes(data)
    film(folder / "other.mp4", seed=1)
    csv = metadata_csv(
        folder / "m.csv",
        *({"filename": name, "contributor": "Ana"} for name in ("a.mp4", "copy.mp4", "other.mp4")),
        {"filename": "theirs.mp4", "contributor": "Bo"},
    )
    report = ingest(library, folder, metadata=csv)
    assert (report.accepted, report.known, report.held) == (3, 1, 2)
    with library.read() as tx:
        held = holds.listing(tx)
        assert {(row["filename"], row["code"]) for row in held} == {
            ("a.mp4", "same_bytes"),
            ("theirs.mp4", "same_bytes"),
        }
        assert "Ana" not in held[1]["reason"] and held[0]["asset"] in held[1]["reason"]
    assert ingest(library, folder / "copy.mp4", contributor="Cy").held == 3
    with library.read() as tx:
        assert len(holds.listing(tx)) == 3


def test_two_ingests_at_once_take_everything_in_once_and_see_each_other(library, folder, film):
    for n in range(4):
        film(folder / f"{n}.mp4", seed=n)
    reports = {}

    def run_one(key, name):
        reports[key] = ingest(library, folder, contributor=name)

    threads = [threading.Thread(target=run_one, args=(n, name)) for n, name in enumerate(("Ana", "Ana", "Bo"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reports[0].accepted + reports[1].accepted == 4
    assert reports[0].known + reports[1].known == 4
    assert reports[2].accepted == 4
    assert (count(library, contributor), count(library, asset), count(library, ownership)) == (2, 8, 8)
    with library.read() as tx:
        assert len(holds.listing(tx)) == 8


def sign(ws, source: Path, target: Path, word: str = "notAllowed") -> Path:
    identity = ws.keys.c2pa()
    manifest = film_manifest("t", "0", {}, {"cawg.ai_generative_training": word})
    sign_mp4(source, target, manifest, chain_pem=identity.chain_pem, key_pem=identity.key_pem)
    source.unlink()
    return target


def xmp_box(value: str) -> bytes:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"'
        f' plus:DataMining="http://ns.useplus.org/ldf/vocab/{value}"/></rdf:RDF></x:xmpmeta>'
    ).encode()
    uuid = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    return (24 + len(packet)).to_bytes(4, "big") + b"uuid" + uuid + packet


def test_signals_are_stored_with_what_they_are_worth(library, folder, film):
    sign(library, film(folder / "x.mp4"), folder / "signed.mp4")
    data = bytearray(sign(library, film(folder / "y.mp4", seed=1), folder / "tampered.mp4").read_bytes())
    mdat = data.rindex(b"mdat")
    data[mdat + 40] ^= 1
    (folder / "tampered.mp4").write_bytes(data)
    film(folder / "xmp.mp4", seed=2)
    with (folder / "xmp.mp4").open("ab") as stream:
        stream.write(xmp_box("DMI-PROHIBITED-AIMLTRAINING"))
    film(folder / "plain.mkv", seed=3)
    report = ingest(library, folder, contributor="Ana")
    assert report.refused == []

    def said(name):
        with library.read() as tx:
            return {(s["kind"], s["key"], s["value"], s["trust"]) for s in show(tx, name).signals}

    assert said("signed.mp4") == {("c2pa", "cawg.ai_generative_training", "notAllowed", "untrusted")}
    assert ("c2pa", "manifest", "tampered", "tampered") in said("tampered.mp4")
    assert said("xmp.mp4") == {("xmp", "plus:DataMining", "notAllowed", "untrusted")}
    assert said("plain.mkv") == {("note", "container", "unsupported", "none")}
    with library.read() as tx:
        (raw,) = {s["raw_key"] for s in show(tx, "xmp.mp4").signals}
        assert b"DMI-PROHIBITED-AIMLTRAINING" in library.objects.read(raw)
    assert stored(library) == named(library)


def test_a_signer_is_trusted_by_a_certificate_in_the_trust_folder_only(library, lab, folder, film):
    (library.root / "trust").mkdir()
    (library.root / "trust" / "lab.pem").write_bytes(lab.keys.c2pa().ca_pem)
    sign(lab, film(folder / "x.mp4"), folder / "lab.mp4")
    sign(library, film(folder / "y.mp4", seed=1), folder / "own.mp4")
    ingest(library, folder, contributor="Ana")
    with library.read() as tx:
        assert [s["trust"] for s in show(tx, "lab.mp4").signals] == ["trusted"]
        assert [s["trust"] for s in show(tx, "own.mp4").signals] == ["untrusted"]
    (library.root / "trust" / "bad.pem").write_text("no certificate")
    with pytest.raises(InputError) as caught:
        ingest(library, folder, contributor="Ana")
    assert "bad.pem" in str(caught.value)


def test_a_child_that_may_not_live_refuses_its_file_in_one_line(library, folder, film):
    film(folder / "a.mp4")
    poor = replace(library, settings=Settings(media_memory_bytes=200 * 1024 * 1024))
    report = ingest(poor, folder, contributor="Ana")
    assert report.accepted == 0
    assert report.refused[0].code.startswith("media.") and "(a.mp4)" in report.refused[0].message
    assert stored(library) == set()
    assert ingest(library, folder, contributor="Ana").accepted == 1


def test_only_a_library_takes_in_footage(lab, folder):
    with pytest.raises(Conflict):
        ingest(lab, folder, contributor="Ana")


def test_no_name_stands_in_the_audit_tree(library, folder, film, metadata_csv):
    film(folder / "anas-garden.mp4")
    (folder / "anas-broken.mp4").write_text("no video")
    ingest(library, folder, contributor="Ana Duarte")
    with library.read() as tx:
        bodies = "".join(tx.conn.execute(sa.select(audit_entry.c.body)).scalars())
        assert "Duarte" not in bodies and "anas" not in bodies
        assert count(library, refusal) == 1


@pytest.mark.hostile
def test_every_hostile_file_is_taken_in_or_refused_in_one_line(library):
    root = os.environ.get("FAIRFRAME_HOSTILE")
    if not root:
        pytest.skip("FAIRFRAME_HOSTILE is not set")
    report = ingest(library, Path(root), contributor="Nobody")
    assert report.accepted >= 8
    assert {"empty.mov", "text_named.mp4", "sample_audio_only.mp4", "corrupted.mp4"} <= codes(report).keys()
    for one in report.refused:
        assert f"({one.filename})" in one.message and "\n" not in one.message and "Error:" not in one.message
    assert stored(library) == named(library)


@pytest.mark.footage
def test_real_footage_is_taken_in_whole(library):
    root = os.environ.get("FAIRFRAME_FOOTAGE")
    if not root:
        pytest.skip("FAIRFRAME_FOOTAGE is not set")
    report = ingest(library, Path(root), metadata=Path(root) / "metadata.csv")
    assert (report.accepted, report.refused, report.held) == (48, [], 0)
