"""audit: entries, heads and proofs, from the command line of both parties."""

from pathlib import Path
from typing import Any

import pytest

from fairframe.core.bundle import AgreementRef
from fairframe.core.feed_body import FeedBody, FeedEntry, lines_of
from fairframe.core.ids import new_id
from fairframe.core.money import parse_money
from fairframe.core.ruling_body import RulingBody
from fairframe.dataset.papers import keep_list
from fairframe.platform import bundles
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements

from .conftest import Fairframe

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def kept(library: Workspace, lab: Workspace, tmp_path: Path) -> Path:
    """A document of the library that the lab took and kept."""
    with library.write() as tx:
        tx.record("test.act", "thing_1", {"n": 1})
    with library.write() as tx:
        sealed = bundles.issue(tx, "feed", lab.party_id, {})
    with lab.write() as tx:
        bundles.accept(tx, sealed, "feed")
    path = tmp_path / "feed.json"
    path.write_bytes(sealed)
    return path


def test_a_proof_goes_from_one_party_to_the_other(
    fairframe: Fairframe, library: Workspace, lab: Workspace, kept: Path, tmp_path: Path
) -> None:
    (act,) = fairframe("-w", library.root, "audit", "acts", "--about", "thing_1", "--json").data
    assert (act["kind"], act["content"]["body"]) == ("test.act", {"n": 1})
    proof = tmp_path / "proof.json"
    command = ("-w", library.root, "audit", "prove", act["entry"], "--under", kept, "--since", 1, "-o", proof)
    done = fairframe(*command)
    assert done.code == 0, done.err
    assert f"entry {act['entry']} (test.act) is in" in done.out
    inside = fairframe("-w", lab.root, "verify", proof)
    assert inside.code == 0 and "log.held" in inside.out, inside.out
    outside = fairframe("-w", tmp_path, "verify", proof, "--trust", library.root / "party.json", "--against", kept)
    assert outside.code == 0 and "of this very history" in outside.out, outside.out


def test_heads_of_both_sides_are_listed(fairframe: Fairframe, library: Workspace, lab: Workspace, kept: Path) -> None:
    told = fairframe("-w", lab.root, "audit", "heads", "--json").data
    (held,) = told["held"]
    assert held["name"] == "Harbor Stock" and held["heads"] == 1 and held["size"] > 0
    assert "Harbor Stock" in fairframe("-w", lab.root, "audit", "heads").out
    own = fairframe("-w", library.root, "audit", "heads", "--json").data["own"]
    assert own["size"] > held["size"]


def test_what_cannot_be_proved_is_one_line(
    fairframe: Fairframe, library: Workspace, lab: Workspace, kept: Path, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.json"
    nothing = fairframe("-w", library.root, "audit", "prove", "-o", proof)
    assert nothing.code == 1 and "error[proof.nothing]" in nothing.err
    theirs = fairframe("-w", lab.root, "audit", "prove", 0, "--under", kept, "-o", proof)
    assert theirs.code == 1 and "error[proof.not_ours]" in theirs.err
    assert not proof.exists()


def test_a_kept_document_goes_with_a_log_proof_only(fairframe: Fairframe, lab: Workspace, kept: Path) -> None:
    found = fairframe("-w", lab.root, "verify", kept, "--against", kept)
    assert found.code != 0 and "error[verify.against]" in found.err


def test_a_document_is_written_again(fairframe: Fairframe, library: Workspace, kept: Path, tmp_path: Path) -> None:
    body = RulingBody("people", "seen", "two faces", library.clock(), None, ((new_id("ast"), ""),))
    with library.write() as tx:
        sealed = bundles.issue(tx, "ruling", "", body.to_json(), id=(ruled := new_id("doc")))
    out = tmp_path / "again.json"
    done = fairframe("-w", library.root, "audit", "document", ruled, "-o", out)
    assert done.code == 0 and out.read_bytes() == sealed, done.err
    seen = fairframe("-w", tmp_path, "verify", out, "--trust", library.root / "party.json")
    assert seen.code == 0 and "seen of people on 1 assets" in seen.out, seen.out
    missing = fairframe("-w", library.root, "audit", "document", "doc_x", "-o", out)
    assert missing.code == 1 and "error[document.missing]" in missing.err
    nowhere = fairframe("-w", library.root, "audit", "document", ruled, "-o", tmp_path)
    assert nowhere.code == 1 and "input.unwritable" in nowhere.err


def test_a_document_is_written_with_its_list_or_not_at_all(
    fairframe: Fairframe, library: Workspace, lab: Workspace, tmp_path: Path
) -> None:
    family, entry = new_id("agr"), FeedEntry(1, new_id("dlv"), new_id("itm"), "opt_out", library.clock())
    said = keep_list(library, lines_of([entry]))
    told = FeedBody(family, (entry.delivery,), 1, said, 86_400_000, ())
    with library.write() as tx:
        bundles.issue(tx, "feed", lab.party_id, told.to_json(), AgreementRef(family, 1), id=(feed := new_id("fed")))
    out = tmp_path / "feed.json"
    assert fairframe("-w", library.root, "audit", "document", feed, "-o", out).code == 0
    checked = fairframe("-w", library.root, "verify", out)
    assert checked.code == 0 and "lists 1 items" in checked.out, checked.out
    library.objects.delete(said.digest)
    gone = fairframe("-w", library.root, "audit", "document", feed, "-o", tmp_path / "other.json")
    assert gone.code == 1 and "error[document.list]" in gone.err and not (tmp_path / "other.json").exists()


def test_an_agreement_is_written_with_both_signatures(
    fairframe: Fairframe, library: Workspace, lab: Workspace, tmp_path: Path
) -> None:
    with library.write() as tx:
        offered = agreements.offer(tx, "research", lab_party=lab.party_id, fee=parse_money("10.00", "USD"))
    (agreement,) = [one["subject"] for one in acts(fairframe, library) if one["kind"] == "document.sent"]
    out = tmp_path / "agreement.json"
    assert fairframe("-w", library.root, "audit", "document", agreement, "-o", out).code == 0
    assert out.read_bytes() == offered, "nobody countersigned yet"
    with lab.write() as tx:
        signed = agreements.countersign(tx, offered)
    with library.write() as tx:
        agreements.accept(tx, signed)
    for ws in (library, lab):
        assert fairframe("-w", ws.root, "audit", "document", agreement, "-o", out).code == 0
        assert out.read_bytes() == signed and fairframe("-w", ws.root, "verify", out).code == 0


def acts(fairframe: Fairframe, ws: Workspace) -> list[dict[str, Any]]:
    return list(fairframe("-w", ws.root, "audit", "acts", "--json").data)


@pytest.mark.parametrize("option", ["--agreement", "--statement"])
def test_the_audit_tree_is_compared_with_no_statement(fairframe: Fairframe, library: Workspace, option: str) -> None:
    done = fairframe("-w", library.root, "verify", "audit", option, library.root / "party.json")
    assert done.code == 1 and f"{option} goes with a statement" in done.err
