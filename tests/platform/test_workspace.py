"""Workspaces, transactions, the audit tree and bundles, on both databases."""

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core import dsse, merkle
from fairframe.core.bundle import Bundle, read_payload
from fairframe.core.canonical import canonical, parse
from fairframe.core.errors import BadDocument, Conflict, InputError, IntegrityFailure, NotFound, VerificationError
from fairframe.platform import audit, bundles, identity
from fairframe.platform.tables import audit_entry, disclosure, document, party
from fairframe.platform.workspace import Workspace, create_workspace, open_workspace


def test_a_workspace_opens_again_as_it_was_made(library: Workspace) -> None:
    if library.engine.dialect.name != "sqlite":
        pytest.skip("the URL of the other database is not kept in the folder")
    again = open_workspace(library.root)
    assert (again.party_id, again.role, again.name) == (library.party_id, "library", "Harbor Stock")
    again.close()
    with pytest.raises(Conflict):
        create_workspace(library.root, "lab", "x")


def test_the_database_is_its_owners_to_read(tmp_path, clock) -> None:
    made = create_workspace(tmp_path / "w", "library", "Harbor Stock", clock)
    with made.write() as tx:
        tx.record("test", made.party_id, {})
        files = sorted((tmp_path / "w").glob("fairframe.db*"))
    if made.engine.dialect.name == "sqlite":
        assert len(files) == 3 and {path.stat().st_mode & 0o777 for path in files} == {0o600}
    made.close()


def test_a_folder_without_a_workspace_says_how_to_make_one(tmp_path) -> None:
    with pytest.raises(NotFound, match="fairframe init"):
        open_workspace(tmp_path)


@pytest.mark.parametrize(("role", "name"), [("bank", "x"), ("lab", ""), ("lab", "a\nb"), ("lab", "x" * 65)])
def test_bad_roles_and_names_leave_nothing_behind(tmp_path, role: str, name: str) -> None:
    with pytest.raises(InputError):
        create_workspace(tmp_path / "w", role, name)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("step", ["create_identity", "write_atomic"])
def test_what_a_crash_left_half_made_is_made_anew(tmp_path, clock, monkeypatch, step: str) -> None:
    """Cut off before the identity is committed, and after it."""

    def crash(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(f"fairframe.platform.workspace.{step}", crash)
        create_workspace(tmp_path / "w", "lab", "North Lab", clock)
    with pytest.raises(NotFound):
        open_workspace(tmp_path / "w", clock)
    create_workspace(tmp_path / "w", "lab", "North Lab", clock).close()
    again = open_workspace(tmp_path / "w", clock)
    with again.read() as tx:
        assert tx.scalar(sa.select(party.c.public_id)) == again.party_id
        assert bundles.pinned(tx, again.party_id).keys[0].keyid == again.keys.signing_key()[0]
    again.close()


@pytest.mark.parametrize("lost", [("fairframe.toml",), ("fairframe.toml", "keys")])
def test_what_is_left_of_a_lost_workspace_is_not_made_anew(tmp_path, clock, lost: tuple[str, ...]) -> None:
    create_workspace(tmp_path / "w", "lab", "North Lab", clock).close()
    for name in lost:
        (tmp_path / "w" / name).rename(tmp_path / name)
    for _ in range(2):
        with pytest.raises(Conflict) as caught:
            create_workspace(tmp_path / "w", "lab", "North Lab", clock)
        assert caught.value.code == "workspace.in_the_way"
    for name in lost:
        (tmp_path / name).rename(tmp_path / "w" / name)
    open_workspace(tmp_path / "w", clock).close()


@pytest.mark.parametrize("name", ["a?1", "a?mode=memory", "a#b%41 c", "\u00e4"])
def test_any_folder_name_holds_its_own_database(tmp_path, clock, name: str) -> None:
    create_workspace(tmp_path / name, "lab", "North Lab", clock).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "fairframe.db").is_file()
    open_workspace(tmp_path / name, clock).close()


def test_a_workspace_whose_database_is_gone_does_not_open(tmp_path, clock) -> None:
    create_workspace(tmp_path / "w", "library", "Harbor Stock", clock).close()
    for file in (tmp_path / "w").glob("fairframe.db*"):
        file.unlink()
    for _ in range(2):  # looking for it does not make it
        with pytest.raises(IntegrityFailure) as caught:
            open_workspace(tmp_path / "w", clock)
        assert caught.value.code == "workspace.no_database"
    assert not (tmp_path / "w" / "fairframe.db").exists()
    (tmp_path / "w" / "fairframe.db").touch()
    with pytest.raises(IntegrityFailure, match="gone or empty"):
        open_workspace(tmp_path / "w", clock)


def test_the_database_of_another_workspace_is_refused(library: Workspace, tmp_path, clock, monkeypatch) -> None:
    create_workspace(tmp_path / "w", "lab", "North Lab", clock).close()
    monkeypatch.setenv("FAIRFRAME_DATABASE_URL", library.engine.url.render_as_string(hide_password=False))
    with pytest.raises(Conflict) as caught:
        open_workspace(tmp_path / "w", clock)
    assert caught.value.code == "workspace.other_database"


def test_time_never_goes_back_within_a_workspace(library: Workspace, clock) -> None:
    with library.write() as tx:
        latest = tx.now_ms
        tx.record("test.act", "thing", {})
    for _ in range(3):
        clock.advance(-600_000)
        with library.write() as tx:
            assert tx.now_ms == latest
            tx.record("test.act", "thing", {})
        with library.read() as tx:
            assert tx.now_ms == latest
            times = tx.execute(sa.select(audit_entry.c.recorded_at_ms).order_by(audit_entry.c.seq)).scalars().all()
        assert list(times) == sorted(times)


def test_who_began_earlier_and_commits_later_is_recorded_later(library: Workspace, clock) -> None:
    if library.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    with library.write() as slow:
        slow.record("test.act", "slow", {})
        clock.advance(1000)
        with library.write() as quick:
            quick.record("test.act", "quick", {})
    with library.read() as tx:
        last = tx.rows(audit_entry.select().order_by(audit_entry.c.seq.desc()).limit(2))
    assert [row["subject"] for row in last] == ["slow", "quick"]
    assert last[0]["recorded_at_ms"] == last[1]["recorded_at_ms"] == clock.now


def test_private_keys_are_readable_by_their_owner_only(library: Workspace) -> None:
    modes = {p.name: p.stat().st_mode & 0o777 for p in library.keys.folder.iterdir()}
    assert modes and set(modes.values()) == {0o600}
    assert library.keys.folder.stat().st_mode & 0o777 == 0o700


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


@pytest.mark.usefixtures("no_umask")
def test_a_new_workspace_is_for_its_owner_alone(tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the umask takes nothing away, and where the folder was there and keeps its mode."""
    monkeypatch.delenv("FAIRFRAME_DATABASE_URL", raising=False)
    (tmp_path / "there").mkdir()
    for name in ("new", "there"):
        ws = create_workspace(tmp_path / name, "library", "Harbor Stock", clock)
        ws.objects.put_bytes(b"film")
        found = modes(ws.root)
        ws.close()
        assert {found["keys"], found["objects"]} == {0o700}
        held = {name: mode for name, mode in found.items() if name.startswith("fairframe.db")}
        assert set(held) == {"fairframe.db", "fairframe.db-wal", "fairframe.db-shm"}
        assert set(held.values()) == {0o600}
    assert modes(tmp_path) == {"new": 0o700, "there": 0o777}


def leaves(ws: Workspace) -> list[bytes]:
    with ws.read() as tx:
        rows = tx.rows(sa.select(audit_entry.c.body).order_by(audit_entry.c.seq))
    return [merkle.leaf_hash(r["body"].encode()) for r in rows]


def test_the_stored_tree_is_the_tree_of_its_entries(library: Workspace) -> None:
    for i in range(23):
        with library.write() as tx:
            tx.record("test.act", f"thing_{i}", {"i": i})
            if i % 3 == 0:
                tx.record("test.second", f"thing_{i}", {"i": i})
    hashes = leaves(library)
    with library.read() as tx:
        head = audit.head(tx.conn)
        assert head.size == len(hashes)
        assert head.root == merkle.root_of(hashes).hex()
        for index in (0, 7, head.size - 1):
            proof = audit.inclusion_proof(tx.conn, index, head.size)
            assert merkle.verify_inclusion(index, head.size, hashes[index], proof, bytes.fromhex(head.root))
        old = merkle.root_of(hashes[:9])
        proof = audit.consistency_proof(tx.conn, 9, head.size)
        assert merkle.verify_consistency(9, head.size, old, bytes.fromhex(head.root), proof)


def test_personal_data_is_a_salted_commitment_that_can_be_erased(library: Workspace) -> None:
    with library.write() as tx:
        tx.record("contributor.created", "ctr_x", {}, private={"name": "Ada Lovelace"})
    with library.read() as tx:
        entry = tx.rows(audit_entry.select().where(audit_entry.c.subject == "ctr_x"))[0]
        opened = tx.rows(disclosure.select().where(disclosure.c.audit_seq == entry["seq"]))[0]
    assert "Ada" not in entry["body"]
    body = parse(entry["body"])
    assert isinstance(body, dict)
    assert body["commitments"] == {"name": audit.commitment(opened["salt"], "Ada Lovelace")}
    with library.write() as tx:
        tx.execute(disclosure.delete().where(disclosure.c.audit_seq == entry["seq"]))
    assert leaves(library)[entry["seq"]].hex() == entry["leaf_hash"]


def test_a_failed_transaction_leaves_no_row_and_no_leaf(library: Workspace) -> None:
    before = leaves(library)
    with pytest.raises(RuntimeError):
        with library.write() as tx:
            tx.record("test.act", "thing", {})
            raise RuntimeError
    assert leaves(library) == before


@pytest.mark.parametrize("statement", ["update audit_entry set kind = 'x'", "delete from audit_entry"])
def test_the_database_refuses_to_change_history(library: Workspace, statement: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        with library.write() as tx:
            tx.execute(sa.text(statement))


def test_replace_is_refused_too(library: Workspace) -> None:
    verb = "insert or replace into" if library.engine.dialect.name == "sqlite" else "truncate"
    tail = " select * from audit_entry" if verb.startswith("insert") else " cascade"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        with library.write() as tx:
            tx.execute(sa.text(f"{verb} audit_entry{tail}"))


def test_concurrent_writers_lose_and_double_nothing(library: Workspace) -> None:
    def work(n: int) -> None:
        for i in range(10):
            with library.write() as tx:
                tx.record("test.act", f"thing_{n}_{i}", {"n": n, "i": i})

    before = len(leaves(library))
    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    hashes = leaves(library)
    assert len(hashes) == before + 60
    with library.read() as tx:
        assert audit.head(tx.conn).root == merkle.root_of(hashes).hex()


def sent(one: Workspace, other: Workspace, kind: str = "feed", **body: object) -> bytes:
    with one.write() as tx:
        return bundles.issue(tx, kind, other.party_id, body)


def test_a_bundle_is_accepted_once_and_again_without_effect(library: Workspace, lab: Workspace) -> None:
    data = sent(library, lab, entries=[])
    with lab.write() as tx:
        assert bundles.accept(tx, data, "feed").new
    size = len(leaves(lab))
    with lab.write() as tx:
        again = bundles.accept(tx, data, "feed")
    assert not again.new and again.bundle.body == {"entries": []}
    assert len(leaves(lab)) == size


def test_wrong_bundles_are_refused_with_their_reason(
    library: Workspace, lab: Workspace, make_workspace, tmp_path
) -> None:
    first, second = sent(library, lab, n=1), sent(library, lab, n=2)
    with lab.write() as tx:
        bundles.accept(tx, second, "feed")
    for data, expect, error, code in [
        (first, "feed", VerificationError, "bundle.stale"),
        (second, "lease", BadDocument, "bundle.type"),
        (sent(lab, library, n=1), "feed", VerificationError, "bundle.recipient"),
        (b"{}", "feed", VerificationError, "dsse.malformed"),
    ]:
        with pytest.raises(error) as caught, lab.write() as tx:
            bundles.accept(tx, data, expect)
        assert caught.value.code == code


def test_another_document_with_a_used_number_is_told_as_such(library: Workspace, lab: Workspace) -> None:
    """As by a library that was restored from a backup."""
    from dataclasses import replace

    from fairframe.core import bundle as core_bundle

    data = sent(library, lab, kind="agreement", n=1)
    with lab.write() as tx:
        first = bundles.accept(tx, data, "agreement").bundle
    again = core_bundle.seal(replace(first, id="doc_" + "0" * 26), library.keys.signing_key()[1])
    with pytest.raises(Conflict) as caught, lab.write() as tx:
        bundles.accept(tx, again, "agreement")
    assert caught.value.code == "bundle.conflict" and first.id in str(caught.value)


def test_two_at_once_are_numbered_one_after_the_other(library: Workspace, lab: Workspace) -> None:
    issued: list[bytes] = []
    second = threading.Thread(target=lambda: issued.append(sent(library, lab, n=2)))
    with library.write() as tx:
        issued.append(bundles.issue(tx, "feed", lab.party_id, {"n": 1}))
        second.start()
        second.join(0.5)
        assert second.is_alive()
    second.join(30)
    assert [payload_of(one).seq for one in issued] == [1, 2]


def test_the_same_bundle_twice_at_once_is_taken_once(library: Workspace, lab: Workspace) -> None:
    data, new = sent(library, lab, n=1), list[bool]()

    def take() -> None:
        with lab.write() as tx:
            new.append(bundles.accept(tx, data, "feed").new)

    second = threading.Thread(target=take)
    with lab.write() as tx:
        new.append(bundles.accept(tx, data, "feed").new)
        second.start()
        second.join(0.5)
    second.join(30)
    assert new == [True, False]


def payload_of(envelope: bytes) -> Bundle:
    return read_payload(dsse.read_envelope(envelope).payload)


def test_a_stranger_is_not_believed(library: Workspace, lab: Workspace, tmp_path, clock) -> None:
    stranger = create_workspace(tmp_path / "stranger", "library", "Stranger", clock)
    data = sent(stranger, lab, n=1)
    with pytest.raises(VerificationError), lab.write() as tx:
        bundles.accept(tx, data, "feed")
    stranger.close()


def test_a_party_cannot_sign_in_the_name_of_another(library: Workspace, lab: Workspace, tmp_path, clock) -> None:
    """A pinned party's own key under a bundle that names another pinned party as its sender."""
    from dataclasses import replace

    from fairframe.core import bundle as core_bundle

    mallory = create_workspace(tmp_path / "mallory", "library", "Mallory", clock)
    with lab.write() as tx:
        identity.pin(tx, (mallory.root / "party.json").read_bytes())
        real = bundles.check(tx, sent(library, lab, n=1))
    forged = core_bundle.seal(replace(real, id="doc_" + "0" * 26), mallory.keys.signing_key()[1])
    with pytest.raises(VerificationError) as caught, lab.write() as tx:
        bundles.accept(tx, forged, "feed")
    assert caught.value.code == "bundle.wrong_key"
    mallory.close()


def test_pinning_another_document_under_a_pinned_id_is_refused(library: Workspace, lab: Workspace) -> None:
    other = parse(dsse.read_envelope((library.root / "party.json").read_bytes()).payload)
    assert isinstance(other, dict)
    other["id"] = lab.party_id
    forged = dsse.sign("application/vnd.fairframe.party+json", canonical(other), library.keys.signing_key()[1])
    with pytest.raises((Conflict, VerificationError)), library.write() as tx:
        identity.pin(tx, forged)
    with library.read() as tx:
        assert len(tx.rows(party.select())) == 2


def test_the_newest_signed_time_moves_a_clock_that_lags(library: Workspace, lab: Workspace, clock) -> None:
    clock.advance(3_600_000)
    data = sent(library, lab, n=1)
    ahead = clock.now
    clock.advance(-3_000_000)
    with lab.write() as tx:
        bundles.accept(tx, data, "feed")
    with lab.read() as tx:
        assert tx.now_ms < ahead
        assert bundles.trusted_now_ms(tx) == ahead


def test_documents_and_heads_of_the_other_side_are_kept(library: Workspace, lab: Workspace) -> None:
    data = sent(library, lab, n=1)
    with lab.write() as tx:
        bundles.accept(tx, data, "feed")
        assert tx.scalar(sa.select(sa.func.count()).select_from(document)) == 1
        assert tx.scalar(sa.text("select count(*) from peer_head")) == 1
