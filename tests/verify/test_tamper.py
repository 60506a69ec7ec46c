"""What an owner, a counterparty or a stranger may do to a signed document, each found under its code.

docs/tamper.md lists every case with the test that catches it; what a workspace finds is tested beside its stage.
"""

import ast
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairframe.core import dsse
from fairframe.core.attestation_body import STATEMENT
from fairframe.core.bundle import PAYLOAD_TYPE, Bundle, read_payload, seal
from fairframe.core.canonical import canonical, digest
from fairframe.core.time import DAY_MS
from fairframe.verify.beside import beside
from fairframe.verify.trust import Trust

from .conftest import NOW_MS, made_id
from .test_documents import TRIAL, bodies, issued

Failing = Callable[[Any], set[str]]
ROOT = Path(__file__).parents[2]
CASES = {
    "edit", "delete", "insert", "reorder", "cut tail", "rewritten and re-signed history", "stale feed replayed",
    "list swapped", "media swapped under the same id", "altered agreement", "forged attestation", "expired key",
    "untrusted key", "rotated key", "revoked key", "stripped C2PA", "duplicate JSON keys", "Unicode canonicalization",
    "number canonicalization", "clock rollback", "split view",
}  # fmt: skip
"""What docs/tamper.md has to name."""


def opened(sealed: bytes) -> Bundle:
    return read_payload(dsse.read_envelope(sealed).payload)


def found(world: Any, failing: Failing, data: bytes, trust: Trust | None = None) -> set[str]:
    return failing(world.check(world.write("x.json", data), trust))


def swapped(sealed: bytes, old: bytes, new: bytes) -> bytes:
    """Another payload under the same signatures."""
    envelope = dsse.read_envelope(sealed)
    assert old in envelope.payload
    return dsse.Envelope(envelope.payload.replace(old, new), PAYLOAD_TYPE, envelope.signatures).to_bytes()


def test_an_altered_agreement(world: Any, failing: Failing) -> None:
    signed = world.agreement()
    assert found(world, failing, swapped(signed, b'"share":"1/5"', b'"share":"1/9"')) == {"dsse.bad_signature"}
    other = opened(signed).body
    other["terms"]["share"] = "1/9"
    by_library = world.sealed("agreement", other, id=world.agreement_ref.id)
    assert found(world, failing, by_library) == {"document.signature"}, "one party alone changes nothing"
    # the lab's true signature, moved over to what it never signed
    theirs = dsse.read_envelope(signed).signatures[1]
    envelope = dsse.read_envelope(by_library)
    moved = dsse.Envelope(envelope.payload, PAYLOAD_TYPE, (*envelope.signatures, theirs)).to_bytes()
    assert found(world, failing, moved) == {"dsse.bad_signature"}


def test_a_forged_attestation(world: Any, failing: Failing) -> None:
    honest = issued(world, "attestation")
    delivery = made_id("dlv").encode()
    assert found(world, failing, swapped(honest, delivery, made_id("dlv", 5).encode())) == {"dsse.bad_signature"}
    said = opened(honest)
    by_stranger = seal(said, world.stranger.private)
    assert found(world, failing, by_stranger) == {"dsse.unknown_key"}
    by_library = seal(said, world.library.private)
    assert found(world, failing, by_library) == {"document.signature"}, "nobody attests for the lab"
    own = seal(replace(said, sender=world.library.id, recipient=world.lab.id), world.library.private)
    assert found(world, failing, own) == {"document.issuer"}
    claims_more = seal(replace(said, body={**said.body, "statement": "All copies are gone."}), world.lab.private)
    assert found(world, failing, claims_more) == {"document.field"}


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(made_id("itm").encode(), made_id("itm", 5).encode()),
        lambda data: b"".join(reversed(data.splitlines(keepends=True))),
        lambda data: data.splitlines(keepends=True)[0],
        lambda data: data + data.splitlines(keepends=True)[0],
        lambda data: data[:-1],
        lambda data: b"",
    ],
    ids=["another item", "reordered", "cut", "longer", "no last line feed", "empty"],
)
def test_a_list_that_is_not_the_signed_one(world: Any, failing: Failing, change: Callable[[bytes], bytes]) -> None:
    document = world.write("x.json", issued(world, "attestation"))
    assert failing(world.check(document)) == set()
    path = beside(document)
    path.write_bytes(change(path.read_bytes()))
    assert failing(world.check(document)) == {"list.changed"}


def test_the_list_of_another_document_lies_beside(world: Any, failing: Failing) -> None:
    document, other = world.write("x.json", issued(world, "attestation")), world.write("y.json", world.feed(1))
    beside(document).write_bytes(beside(other).read_bytes())
    assert failing(world.check(document)) == {"list.changed"}
    beside(document).unlink()
    assert failing(world.check(document)) == {"list.missing"}
    beside(document).symlink_to(beside(other))
    assert failing(world.check(document)) == {"list.missing"}


def test_a_list_says_no_more_than_its_document(world: Any, failing: Failing) -> None:
    honest = bodies(world, made_id)
    lines = list(world.lists[honest["attestation"]["list"]["digest"]].splitlines())
    for kind, changes, code in (
        ("attestation", {"kept": 0, "items": 2, "statement": STATEMENT}, "attest.kept"),
        ("attestation", {"list": world.listed([lines[0], lines[0]]).to_json(), "kept": 0, "items": 2,
                         "statement": STATEMENT}, "attest.twice"),
        ("attestation", {"list": world.listed([lines[0], b"{}"]).to_json()}, "document.field"),
        ("attestation", {"list": world.listed([lines[0], lines[1].replace(b",", b", ")]).to_json()},
         "document.not_canonical"),
        ("feed", {"list": world.listed(lines[:1]).to_json(), "entries": 1}, "document.field"),
        ("feed", {"list": opened(world.feed(1, 2)).body["list"], "entries": 3}, "feed.entries"),
    ):  # fmt: skip
        assert found(world, failing, issued(world, kind, {**honest[kind], **changes})) == {code}, (kind, changes)


def test_a_trial_balance_that_is_none(world: Any, failing: Failing) -> None:
    honest = bodies(world, made_id)["period"]
    lines = [one.line() for one in TRIAL]
    cash = TRIAL[0].to_json()
    swapped = {"totals": list(reversed(honest["totals"]))}
    more = replace(TRIAL[0], debit_micro=6)
    for changes, code in (
        ({"list": world.listed(reversed(lines)).to_json()}, "period.order"),
        ({"list": world.listed([lines[0], lines[0]]).to_json()}, "period.order"),
        ({"list": world.listed(lines[:1]).to_json()}, "period.sum"),
        ({"list": world.listed([more.line(), lines[1]]).to_json()}, "period.sum"),
        ({"list": world.listed([more.line(), lines[1]]).to_json(),
          "totals": [more.to_json(), honest["totals"][1]]}, "period.sum"),
        ({"list": world.listed([canonical({**cash, "closing_micro": "6"}), lines[1]]).to_json()}, "period.sum"),
        ({"list": world.listed([canonical({**cash, "debit_micro": "05"}), lines[1]]).to_json()}, "document.field"),
        ({"list": world.listed([canonical({**cash, "currency": "ABC"}), lines[1]]).to_json()}, "input.bad_currency"),
        (swapped, "period.sum"),
        ({"totals": []}, "period.sum"),
        ({"previous": made_id("prd")}, "document.field"),
        ({"statement": "All is well."}, "document.field"),
    ):  # fmt: skip
        assert found(world, failing, issued(world, "period", {**honest, **changes})) == {code}, changes


def test_a_key_that_expired_and_one_that_nobody_trusts(world: Any, failing: Failing) -> None:
    late = issued(world, "feed", issued_at_ms=world.library.party.created_at_ms + 201 * DAY_MS)
    assert "document.signature" in found(world, failing, late)
    assert found(world, failing, issued(world, "feed"), Trust.of([world.stranger.party])) == {"dsse.unknown_key"}


def test_a_document_dated_ahead(world: Any, failing: Failing) -> None:
    assert found(world, failing, issued(world, "feed", issued_at_ms=NOW_MS + 3 * DAY_MS)) == {"document.time"}


def signed_text(world: Any, change: Callable[[bytes], bytes]) -> bytes:
    """A feed whose payload is spelled otherwise, under a true signature over just that spelling."""
    payload = canonical(world.bundle("feed", bodies(world, made_id)["feed"]).to_json())
    other = change(payload)
    assert other != payload
    return dsse.sign(PAYLOAD_TYPE, other, world.library.private)


def test_duplicate_json_keys(world: Any, failing: Failing) -> None:
    twice = signed_text(world, lambda p: p.replace(b'"seq":1', b'"seq":1,"seq":2'))
    assert found(world, failing, twice) == {"document.duplicate_key"}
    spelled = signed_text(world, lambda p: p.replace(b'"seq":1', b'"seq":1,"\\u0073eq":2'))
    assert found(world, failing, spelled) == {"document.duplicate_key"}
    envelope = issued(world, "feed").replace(b'{"payload":', b'{"payload":"","payload":', 1)
    assert found(world, failing, envelope) == {"dsse.malformed"}


def test_numbers_have_one_spelling(world: Any, failing: Failing) -> None:
    for other in (b"1.0", b"1e0", b"9007199254740993"):
        spelled = signed_text(world, lambda p, n=other: p.replace(b'"seq":1', b'"seq":' + n))
        assert found(world, failing, spelled) == {"document.bad_number"}, other
    assert found(world, failing, signed_text(world, lambda p: p.replace(b'"seq":1', b'"seq": 1'))) == {
        "document.not_canonical"
    }


def test_unicode_has_one_spelling_and_is_not_normalized(world: Any, failing: Failing) -> None:
    escaped = signed_text(world, lambda p: p.replace(b'"type":"feed"', b'"type":"fe\\u0065d"'))
    assert found(world, failing, escaped) == {"document.not_canonical"}
    order = signed_text(world, lambda p: p.replace(b'"type":"feed","version":1', b'"version":1,"type":"feed"'))
    assert found(world, failing, order) == {"document.not_canonical"}
    # the same letters to the eye, other bytes: the signature is over one of them
    composed = unicodedata.normalize("NFC", "José")
    recipe = {"filters": {"words": [composed]}}
    said = {**bodies(world, made_id)["delivery"], "recipe": recipe, "recipe_hash": digest(recipe)}
    honest = issued(world, "delivery", said)
    assert found(world, failing, honest) == set()
    apart = swapped(honest, composed.encode(), unicodedata.normalize("NFD", composed).encode())
    assert found(world, failing, apart) == {"dsse.bad_signature"}


def rows() -> list[tuple[str, str, str, str, str]]:
    """(case, what is done, found by, code, test) of docs/tamper.md."""
    text = (ROOT / "docs" / "tamper.md").read_text("utf-8")
    listed = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "::" in line]
    assert all(len(one) == 5 for one in listed)
    return [(case, done, by, code.strip("`"), test.strip("`")) for case, done, by, code, test in listed]


def test_the_table_names_every_case() -> None:
    assert {case for case, *_ in rows()} == CASES


def test_what_both_commands_find_is_asked_of_both() -> None:
    from tests.cli.test_verify_tamper import CASES as ASKED  # it takes its documents from here

    found = {(case, code) for case, _, by, code, _ in rows() if by == "both"}
    assert found == {(case, code) for case, code, _ in ASKED}
    assert {by for _, _, by, _, _ in rows()} == {"both", "verify", "refused"}


@pytest.mark.parametrize(("case", "done", "by", "code", "test"), rows(), ids=lambda text: str(text)[:60])
def test_every_row_has_a_test_that_looks_for_its_code(case: str, done: str, by: str, code: str, test: str) -> None:
    file, name = test.split("::")
    source = (ROOT / file).read_text("utf-8")
    known = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    assert name in known and name.startswith("test_"), f"{test} is gone"
    assert re.search(rf'"{re.escape(code)}"', source), f"{file} does not look for {code}"
    everything = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    stem, _, rest = code.partition(".")  # the reader's state, or what is wrong with a key, is part of these codes
    state = stem in ("c2pa", "document", "bundle") and f'"{rest}"' in everything
    assert state or f'"{code}"' in everything, f"nothing gives {code}"
