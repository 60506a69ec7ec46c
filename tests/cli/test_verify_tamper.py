"""What anybody may do to a document, a delivery or a film: both commands refuse it, and name it alike.

`fairframe verify` outside of a workspace and `fairframe-verify` are asked about the same files. docs/tamper.md lists
these cases as found by both, and a test of that table holds that none is missing here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.verify.conftest import NOW_MS, World, made_id
from tests.verify.test_documents import bodies, issued
from tests.verify.test_films import FILES, FILM, Chain
from tests.verify.test_keys_in_time import NEW, lease, revoked, rotated
from tests.verify.test_model_releases import Release
from tests.verify.test_tamper import opened, signed_text, swapped
from tests.verify.test_zipapp import log_proof

from fairframe.core import keys
from fairframe.core.bundle import Head, seal
from fairframe.core.canonical import canonical
from fairframe.core.party import Party, PartyKey
from fairframe.core.party_key import introduce
from fairframe.core.time import DAY_MS
from fairframe.verify.beside import beside
from fairframe.verify.main import main

from .conftest import Fairframe


@dataclass
class Case:
    """A file to check, and what is given along. trust: party documents; those of the library and the lab as a rule."""

    path: Path
    trust: tuple[bytes, ...] = ()
    against: bytes | None = None


Make = Callable[[World], Case]
NOW = NOW_MS


def paper(world: World, data: bytes, *trust: bytes) -> Case:
    return Case(world.write("x.json", data), trust)


def told(world: World, library: Party, key: Any = NEW) -> tuple[bytes, bytes]:
    """The library's newer document beside the lab's."""
    return library.seal(key), world.lab.document()


def edited_item(world: World) -> Case:
    folder = world.deliver()
    lines = (folder / "items.jsonl").read_bytes()
    (folder / "items.jsonl").write_bytes(lines.replace(b"a harbor at dusk", b"a harbor at dawn", 1))
    return Case(folder)


def reordered_items(world: World) -> Case:
    folder = world.deliver()
    lines = (folder / "items.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "items.jsonl").write_bytes(b"".join(reversed(lines)))
    return Case(folder)


def missing_clip(world: World) -> Case:
    folder = world.deliver()
    world.clip_path(0).unlink()
    return Case(folder)


def extra_file(world: World) -> Case:
    folder = world.deliver()
    (folder / "more.txt").write_bytes(b"x")
    return Case(folder)


def changed_clip(world: World) -> Case:
    folder = world.deliver()
    world.clip_path(0).write_bytes(b"clip ONE")
    return Case(folder)


def swapped_clips(world: World) -> Case:
    folder = world.deliver()
    one, two = world.clip_path(0), world.clip_path(1)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    return Case(folder)


def other_film(world: World) -> Case:
    path = Chain(world, made_id).write()
    path.write_bytes(FILM[:-1] + b"x")
    return Case(path)


def bare_film(world: World) -> Case:
    return Case(world.write("film.mp4", FILM))


def edited_proof(world: World) -> Case:
    proof = opened(log_proof(world))
    entry = json.loads(proof.body["act"]["entry"]) | {"body": {"more": 1}}
    act = {**proof.body["act"], "entry": canonical(entry).decode()}
    return paper(world, seal(replace(proof, body={**proof.body, "act": act}), world.library.private))


def other_head(world: World) -> Case:
    kept = world.sealed("feed", bodies(world, made_id)["feed"], audit_head=Head(3, "ab" * 32))
    return replace(paper(world, log_proof(world)), against=kept)


def altered_terms(world: World) -> Case:
    return paper(world, swapped(world.agreement(), b'"share":"1/5"', b'"share":"1/9"'))


def terms_of_one(world: World) -> Case:
    body = opened(world.agreement()).body
    return paper(world, world.sealed("agreement", {**body, "offer": "mine"}, id=world.agreement_ref.id))


def no_agreement(world: World) -> Case:
    return paper(world, world.agreement({"offer": "research"}))


def other_items(world: World) -> Case:
    case = paper(world, issued(world, "attestation"))
    path = beside(case.path)
    path.write_bytes(path.read_bytes().replace(made_id("itm").encode(), made_id("itm", 5).encode()))
    return case


def other_delivery(world: World) -> Case:
    return paper(world, swapped(issued(world, "attestation"), made_id("dlv").encode(), made_id("dlv", 5).encode()))


def list_of_another(world: World) -> Case:
    case, other = paper(world, issued(world, "attestation")), world.write("y.json", world.feed(1))
    beside(case.path).write_bytes(beside(other).read_bytes())
    return case


def list_lost(world: World) -> Case:
    case = paper(world, issued(world, "attestation"))
    beside(case.path).unlink()
    return case


def list_excuses(world: World) -> Case:
    folder = world.deliver()
    world.write("feed.json", world.feed(1))
    world.clip_path(1).unlink()
    path = folder / "feed.items.jsonl"
    path.write_bytes(path.read_bytes() * 2)
    return Case(folder)


def list_too_short(world: World) -> Case:
    body = {**bodies(world, made_id)["feed"], "list": opened(world.feed(1, 2)).body["list"], "entries": 3}
    return paper(world, issued(world, "feed", body))


def changed_release(world: World) -> Case:
    folder = Release(world, made_id).write()
    (folder / "LICENSE").write_bytes(b"do as you like")
    return Case(folder)


def released_others(world: World) -> Case:
    release = Release(world, made_id)
    release.contents[next(iter(FILES))] = b"other weights"
    return Case(release.write())


def attested_by_another(world: World) -> Case:
    return paper(world, seal(opened(issued(world, "attestation")), world.library.private))


def attested_too_much(world: World) -> Case:
    said = opened(issued(world, "attestation"))
    body = {**said.body, "statement": "All copies are gone."}
    return paper(world, seal(replace(said, body=body), world.lab.private))


def expired(world: World) -> Case:
    ended = replace(world.library.party.keys[0], valid_to_ms=NOW - 2 * DAY_MS)
    after = PartyKey(keys.keyid(NEW.public_key()), NEW.public_key(), "sign", NOW - 2 * DAY_MS, None)
    who = replace(world.library.party, created_at_ms=NOW - DAY_MS, keys=(ended, after))
    return Case(lease(world, world.library.private, NOW - DAY_MS), told(world, who))


def nobody_trusted(world: World) -> Case:
    return paper(world, issued(world, "feed"), world.stranger.document())


def after_the_end(world: World) -> Case:
    who = rotated(world.library, NOW - 2 * DAY_MS)
    return Case(lease(world, world.library.private, NOW - DAY_MS), told(world, who))


def before_the_start(world: World) -> Case:
    return Case(lease(world, NEW, NOW - 3 * DAY_MS), told(world, rotated(world.library, NOW - 2 * DAY_MS)))


def not_introduced(world: World) -> Case:
    who = revoked(world.library, NOW - DAY_MS, NOW)
    unrevoked = replace(who, keys=(replace(who.keys[0], revoked_ms=None), who.keys[1]))
    return paper(world, unrevoked.seal(NEW))


def older_document(world: World) -> Case:
    who = rotated(world.library, NOW - DAY_MS)
    return paper(world, world.library.document(), *told(world, who))


def after_the_revocation(world: World) -> Case:
    who = revoked(world.library, NOW - 2 * DAY_MS, NOW - DAY_MS)
    return Case(lease(world, world.library.private, NOW - DAY_MS), told(world, who))


def introduced_by_the_revoked(world: World) -> Case:
    """Who stole the key introduces one of his own with it, in a document that goes on from the true one."""
    true = revoked(world.library, NOW - 2 * DAY_MS, NOW - DAY_MS)
    thief = keys.generate()
    mark = introduce(true.id, thief.public_key(), NOW, world.library.private)
    own = PartyKey(keys.keyid(thief.public_key()), thief.public_key(), "sign", NOW, None, introduction=mark)
    forged = replace(true, version=3, created_at_ms=NOW, keys=(*true.keys, own))
    return paper(world, forged.seal(thief), *told(world, true))


def before_the_revocation(world: World) -> Case:
    """The document without the revocation is given again, with a higher number, under the stolen key."""
    true = revoked(world.library, NOW - 2 * DAY_MS, NOW - DAY_MS)
    again = replace(world.library.party, version=9)
    return paper(world, again.seal(world.library.private), *told(world, true))


def twice(world: World) -> Case:
    return paper(world, signed_text(world, lambda p: p.replace(b'"seq":1', b'"seq":1,"seq":2')))


def envelope_twice(world: World) -> Case:
    return paper(world, issued(world, "feed").replace(b'{"payload":', b'{"payload":"","payload":', 1))


def escaped(world: World) -> Case:
    return paper(world, signed_text(world, lambda p: p.replace(b'"type":"feed"', b'"type":"fe\\u0065d"')))


def composed(world: World) -> Case:
    body = bodies(world, made_id)["feed"]
    entry = {"delivery": made_id("dlv"), "reason": "Jos\u00e9", "effective_at": "2026-01-01T00:00:00.000Z", "items": []}
    honest = world.sealed("feed", {**body, "entries": [entry]})
    return paper(world, swapped(honest, "Jos\u00e9".encode(), "Jose\u0301".encode()))


def spelled_number(world: World) -> Case:
    return paper(world, signed_text(world, lambda p: p.replace(b'"seq":1', b'"seq":1.0')))


def dated_ahead(world: World) -> Case:
    return paper(world, issued(world, "feed", issued_at_ms=NOW + 3 * DAY_MS))


CASES: tuple[tuple[str, str, Make], ...] = (
    ("edit", "items.root", edited_item),
    ("edit", "log.inclusion", edited_proof),
    ("delete", "clips.missing", missing_clip),
    ("insert", "files.extra", extra_file),
    ("reorder", "items.root", reordered_items),
    ("rewritten and re-signed history", "log.split_view", other_head),
    ("list swapped", "list.changed", list_of_another),
    ("list swapped", "list.missing", list_lost),
    ("list swapped", "list.changed", list_excuses),
    ("list swapped", "feed.entries", list_too_short),
    ("media swapped under the same id", "clips.changed", changed_clip),
    ("media swapped under the same id", "clips.changed", swapped_clips),
    ("media swapped under the same id", "film.hash", other_film),
    ("media swapped under the same id", "model.changed", changed_release),
    ("media swapped under the same id", "release.files", released_others),
    ("altered agreement", "dsse.bad_signature", altered_terms),
    ("altered agreement", "document.signature", terms_of_one),
    ("altered agreement", "document.field", no_agreement),
    ("forged attestation", "dsse.bad_signature", other_delivery),
    ("forged attestation", "list.changed", other_items),
    ("forged attestation", "document.signature", attested_by_another),
    ("forged attestation", "document.field", attested_too_much),
    ("expired key", "document.signature", expired),
    ("expired key", "document.key_ended", expired),
    ("untrusted key", "dsse.unknown_key", nobody_trusted),
    ("rotated key", "document.key_ended", after_the_end),
    ("rotated key", "document.key_early", before_the_start),
    ("rotated key", "party.trusted", not_introduced),
    ("rotated key", "party.trusted", older_document),
    ("revoked key", "document.key_revoked", after_the_revocation),
    ("revoked key", "party.trusted", introduced_by_the_revoked),
    ("revoked key", "party.trusted", before_the_revocation),
    ("stripped C2PA", "film.no_sidecar", bare_film),
    ("duplicate JSON keys", "document.duplicate_key", twice),
    ("duplicate JSON keys", "dsse.malformed", envelope_twice),
    ("Unicode canonicalization", "document.not_canonical", escaped),
    ("Unicode canonicalization", "dsse.bad_signature", composed),
    ("number canonicalization", "document.bad_number", spelled_number),
    ("clock rollback", "document.time", dated_ahead),
    ("split view", "log.split_view", other_head),
)
"""(case of docs/tamper.md, code of the finding, what makes it)."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    folder = tmp_path / "delivery"
    folder.mkdir()
    return World(folder)


def options(world: World, case: Case) -> list[str]:
    beside = world.folder.parent
    said: list[str] = []
    for number, data in enumerate(case.trust or (world.library.document(), world.lab.document())):
        (beside / f"trust-{number}.json").write_bytes(data)
        said += ["--trust", str(beside / f"trust-{number}.json")]
    if case.against is not None:
        (beside / "kept.json").write_bytes(case.against)
        said += ["--against", str(beside / "kept.json")]
    return [str(case.path), *said, "--json"]


@pytest.mark.parametrize(("case", "code", "make"), CASES, ids=lambda one: getattr(one, "__name__", str(one)))
def test_both_commands_name_it(
    world: World, case: str, code: str, make: Make, fairframe: Fairframe, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    arguments = options(world, make(world))
    monkeypatch.chdir(tmp_path)  # no workspace is here
    capsys.readouterr()
    assert main(arguments) == 1
    alone = json.loads(capsys.readouterr().out)
    done = fairframe("verify", *arguments)
    assert done.code == 1, done.err
    for report in (alone, done.data):
        assert not report["holds"]
        assert code in {one["code"] for one in report["findings"] if one["ok"] is False}, (case, report["findings"])


@pytest.mark.parametrize("kind", ["feed", "agreement", "attestation", "log_proof"])
def test_an_honest_document_holds_for_both(
    world: World, kind: str, fairframe: Fairframe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every refusal above would show nothing."""
    arguments = options(world, paper(world, log_proof(world) if kind == "log_proof" else issued(world, kind)))
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0
    assert fairframe("verify", *arguments).code == 0
