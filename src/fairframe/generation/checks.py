"""What can be said of a film inside a workspace: is it ours, are its credentials whole, who signed them."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fairframe.core.bundle import Bundle
from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import FairframeError, NotFound
from fairframe.core.finding import Finding
from fairframe.core.party import Party
from fairframe.generation import outputs, sidecar
from fairframe.generation.tables import output
from fairframe.media.c2pa_reader import MAX_MANIFEST_BYTES
from fairframe.media.credentials import LINEAGE, read_credentials
from fairframe.platform import bundles
from fairframe.platform.objects import sha256_file
from fairframe.platform.tables import party
from fairframe.platform.tx import Row, Tx

WORDS = {
    "trusted": "signed by a party that is pinned here, and whole",
    "untrusted": "whole, but signed by nobody who is pinned here",
    "tampered": "do not match the file: it was changed after signing",
    "unreadable": "cannot be read",
    "unsupported": "cannot stand in this container",
    "absent": "are not in the file: it was stripped, or made elsewhere",
}


def check_film(tx: Tx, path: Path) -> list[Finding]:
    """Findings on a film file: its bytes, the sidecar, its credentials. Raises NotFound where there is no file."""
    if not path.is_file():
        raise NotFound(f"there is no film {path}", code="film.missing")
    bytes_hash = sha256_file(path)
    row = outputs.find_by_hash(tx, bytes_hash)
    bundle, found = _sidecar(tx, path)
    if bundle is not None:
        found.append(_same(bundle.body.get("bytes_hash"), bytes_hash))
    found += _indexed(tx, row, bundle, bytes_hash)
    return [*found, *_credentials(tx, path, row, bundle)]


def anchors(tx: Tx) -> bytes:
    """The content-credential authorities of this workspace and of every party pinned here, as PEM."""
    rows = tx.rows(sa.select(party.c.document).order_by(party.c.id))
    return "\n".join(Party.from_envelope(row["document"].encode()).c2pa_ca_pem for row in rows).encode("ascii")


def _indexed(tx: Tx, row: Row | None, bundle: Bundle | None, bytes_hash: str) -> list[Finding]:
    if row is not None:
        text = f"it is {row['public_id']}, byte for byte, by the index of films made in this workspace"
        return [Finding(True, "film.known", text)]
    if bundle is not None and bundle.sender == tx.ws.party_id:
        known = tx.row(output.select().where(output.c.public_id == str(bundle.body.get("output"))))
        text = f"is {known['public_id']}, which has other bytes" if known else "was made here, which no record shows"
        return [Finding(False, "film.changed", f"its sidecar says that it {text}")]
    if bundle is None:
        text = f"no film with the SHA-256 {bytes_hash[:16]}... was made in this workspace"
        return [Finding(False, "film.unknown", text)]
    return []


def _same(said: object, bytes_hash: str) -> Finding:
    if said == bytes_hash:
        return Finding(True, "film.hash", "the film has the SHA-256 that its sidecar signs")
    return Finding(False, "film.hash", "the film's SHA-256 is not the one that its sidecar signs")


def _sidecar(tx: Tx, path: Path) -> tuple[Bundle | None, list[Finding]]:
    beside = sidecar.sidecar_path(path)
    if not beside.is_file():
        return None, [Finding(False, "film.no_sidecar", f"there is no {beside.name} beside it")]
    if beside.stat().st_size > MAX_ENVELOPE_BYTES:
        return None, [Finding(False, "film.sidecar", f"{beside.name} is too long")]
    try:
        bundle = bundles.check(tx, beside.read_bytes(), sidecar.TYPE)
    except FairframeError as error:
        return None, [Finding(False, error.code, f"{beside.name}: {error}")]
    name = bundles.pinned(tx, bundle.sender).name
    return bundle, [Finding(True, "film.sidecar", f"its sidecar is signed by {name}")]


def _credentials(tx: Tx, path: Path, row: Row | None, bundle: Bundle | None) -> list[Finding]:
    trusted = anchors(tx)
    found = read_credentials(path, trusted)
    if found.state != "absent":
        ok = found.state == "trusted"
        reason = f" ({found.reason})" if found.reason and not ok else ""
        checks = [Finding(ok, f"c2pa.{found.state}", f"its content credentials {_verb(found.state)}{reason}")]
        return [*checks, *_claims(found.assertion(LINEAGE), row, bundle)] if ok else checks
    return [Finding(False, "c2pa.absent", f"content credentials {WORDS['absent']}"), *_kept(path, trusted, row, bundle)]


def _kept(path: Path, trusted: bytes, row: Row | None, bundle: Bundle | None) -> list[Finding]:
    """What still tells of a film whose credentials are gone: the store beside it, the index, the signed sidecar."""
    found: list[Finding] = []
    store = sidecar.manifest_path(path)
    if store.is_file() and store.stat().st_size <= MAX_MANIFEST_BYTES:
        beside = read_credentials(path, trusted, sidecar=store.read_bytes())
        text = f"the credentials kept in {store.name} {_verb(beside.state)}"
        text += "; a film that was packed anew no longer matches them" if beside.state == "tampered" else ""
        found.append(Finding(beside.state == "trusted", f"c2pa.kept_{beside.state}", text))
    if row is not None or bundle is not None:
        where = "the index of films made here" if row is not None else "its signed sidecar"
        found.append(Finding(True, "film.traced", f"{where} still tells where it comes from"))
    return found


def _verb(state: str) -> str:
    words = WORDS[state]
    return words if words.split()[0] in ("do", "cannot", "are") else f"are {words}"


def _claims(claims: Any, row: Row | None, bundle: Bundle | None) -> list[Finding]:
    """Whether credentials, sidecar and index tell the same story."""
    if not isinstance(claims, dict):
        return [Finding(False, "c2pa.no_lineage", "its credentials hold no lineage")]
    if bundle is None:
        ours = {} if row is None else {"output": row["public_id"], "agreement": row["agreement"]}
        ours |= {} if row is None else {"purpose": row["purpose"]}
    else:
        names = ("output", "checkpoint", "weights_hash", "lineage_digest", "delivery", "agreement", "purpose")
        ours = {name: bundle.body.get(name) for name in names}
    differing = sorted(name for name, value in ours.items() if claims.get(name) != value)
    if differing:
        return [Finding(False, "c2pa.lineage", f"credentials and records differ in {', '.join(differing)}")]
    text = f"made by the model {str(claims.get('name'))[:80]!r} under {str(claims.get('agreement'))[:40]}"
    return [Finding(True, "c2pa.lineage", text)]
