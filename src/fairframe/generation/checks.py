"""What can be said of a film inside a workspace: is it ours, are its credentials whole, who signed them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.core.bundle import Bundle, open_signed
from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import BadDocument, FairframeError, MissingExtra, NotFound, VerificationError
from fairframe.core.finding import Finding
from fairframe.core.party import Party
from fairframe.generation import outputs, sidecar
from fairframe.generation.tables import output
from fairframe.media import sandboxed
from fairframe.media.credentials import Credentials
from fairframe.media.sandbox import MediaWorker
from fairframe.media.workers import make_worker
from fairframe.platform import trust
from fairframe.platform.settings import Settings
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.verify.files import hash_file, read_limited

MAX_FILM_BYTES = 8 * 2**30
"""What is hashed to look a film up. A film of a minute, the longest that is made here, has a hundredth of it."""
WORDS = {
    "trusted": "are signed by {who}, and whole",
    "untrusted": "are whole, but not signed by {who}",
    "tampered": "do not match the file: it was changed after signing",
    "unreadable": "cannot be read",
    "unsupported": "cannot stand in this container",
    "absent": "are not in the file: it was stripped, or made elsewhere",
}


@dataclass(frozen=True)
class Origin:
    """Where a film says it comes from, as far as a party that is believed here signed it.

    source: "sidecar" or "c2pa". lineage: the checkpoint's sealed lineage, "" where only the sidecar would hold it.
    """

    source: str
    checkpoint: str
    name: str
    weights_hash: str
    delivery: str
    agreement: str
    lineage: str


@dataclass(frozen=True)
class Look:
    """A film's SHA-256 ("" where it is too large), the findings on it, and its origin where one can be believed."""

    bytes_hash: str
    findings: tuple[Finding, ...]
    origin: Origin | None


def check_film(ws: Workspace, path: Path, given: Sequence[Party] = ()) -> list[Finding]:
    """Findings on a film file: its bytes, the sidecar, its credentials. Raises NotFound where there is no file."""
    return list(look_at_film(ws, path, given).findings)


def look_at_film(ws: Workspace, path: Path, given: Sequence[Party] = ()) -> Look:
    """What is found on a film file, and what of its origin can be believed. Raises NotFound where there is no file.

    given: parties that are believed beside those that are pinned here. The film may be anybody's: a child process
    looks into it.
    """
    if not path.is_file():
        raise NotFound(f"there is no film {path}", code="film.missing")
    bytes_hash = hash_file(path.resolve(), max_bytes=MAX_FILM_BYTES)
    if bytes_hash is None:
        text = f"it is larger than {MAX_FILM_BYTES >> 30} GiB: it was not read"
        return Look("", (Finding(False, "film.too_large", text),), None)
    with ws.read() as tx:
        row = outputs.find_by_hash(tx, bytes_hash)
        parties = {one.id: one for one in (*trust.believed(tx), *given)}
        bundle, found = _sidecar(path, parties)
        if bundle is not None:
            found.append(_same(bundle.body.get("bytes_hash"), bytes_hash))
        found += _indexed(tx, row, bundle, bytes_hash)
    with make_worker(ws.settings) as worker:
        inside, claims = _credentials(worker, path, row, bundle, parties)
    whole = bundle is not None and bundle.body.get("bytes_hash") == bytes_hash
    origin = _origin("sidecar", bundle.body) if bundle is not None and whole else _origin("c2pa", claims)
    return Look(bytes_hash, (*found, *inside), origin)


def _origin(source: str, said: Any) -> Origin | None:
    """What a signed body or assertion names; None where it names no checkpoint, or nothing was signed."""
    if not isinstance(said, dict):
        return None
    body: dict[str, Any] = said
    delivery, chain = body.get("delivery"), body.get("chain")
    texts = {name: str(body.get(name) or "")[:200] for name in ("checkpoint", "name", "weights_hash", "agreement")}
    if not texts["checkpoint"] or not texts["weights_hash"]:
        return None
    return Origin(
        source=source,
        delivery=str(delivery.get("id") or "")[:200] if isinstance(delivery, dict) else "",
        lineage=str(chain.get("lineage") or "") if isinstance(chain, dict) else "",
        **texts,
    )


def check_credentials(settings: Settings, path: Path, given: Sequence[Party]) -> list[Finding]:
    """Findings on a film's content credentials outside of any workspace, against the given parties."""
    parties = {one.id: one for one in given}
    with make_worker(settings) as worker:
        return _credentials(worker, path, None, _sidecar(path, parties)[0], parties)[0]


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


def _sidecar(path: Path, parties: Mapping[str, Party]) -> tuple[Bundle | None, list[Finding]]:
    beside = sidecar.sidecar_path(path)
    if not beside.is_file():
        return None, [Finding(False, "film.no_sidecar", f"there is no {beside.name} beside it")]
    try:
        bundle = _open(read_limited(beside, MAX_ENVELOPE_BYTES), parties)
    except FairframeError as error:
        return None, [Finding(False, error.code, f"{beside.name}: {error}")]
    return bundle, [Finding(True, "film.sidecar", f"its sidecar is signed by {parties[bundle.sender].name}")]


def _open(data: bytes, parties: Mapping[str, Party]) -> Bundle:
    bundle, signers = open_signed(data, {key.keyid: key.public for one in parties.values() for key in one.keys})
    sender = parties.get(bundle.sender)
    if bundle.type != sidecar.TYPE:
        raise BadDocument(f"this document is of type {bundle.type}, not {sidecar.TYPE}", code="bundle.type")
    if sender is None or not set(signers) & set(sender.keys_at(bundle.issued_at_ms)):
        fault = None if sender is None else sender.key_fault(signers, bundle.issued_at_ms)
        code, why = fault or ("wrong_key", "not signed by a key of its sender that was valid then")
        raise VerificationError(why, code=f"bundle.{code}")
    return bundle


def _credentials(
    worker: MediaWorker, path: Path, row: Row | None, bundle: Bundle | None, parties: Mapping[str, Party]
) -> tuple[list[Finding], Any]:
    """Findings, and the lineage that trusted credentials hold (None without).

    The credentials have to be signed by whoever signed the sidecar; without one, by any party that is trusted.
    """
    sender = None if bundle is None else parties[bundle.sender]
    who = "a party that is trusted here" if sender is None else sender.name
    authorities = [one.c2pa_ca_pem for one in (parties.values() if sender is None else [sender]) if one.c2pa_ca_pem]
    try:
        found = _read(worker, path, authorities)
    except MissingExtra as error:
        return [Finding(None, "c2pa.unseen", f"its content credentials were not read: {error}")], None
    if found.state != "absent":
        ok = found.state == "trusted"
        reason = f" ({found.reason})" if found.reason and not ok else ""
        checks = [Finding(ok, f"c2pa.{found.state}", f"its content credentials {_words(found.state, who)}{reason}")]
        return ([*checks, *_claims(found.lineage, row, bundle)], found.lineage) if ok else (checks, None)
    absent = Finding(False, "c2pa.absent", f"content credentials {WORDS['absent']}")
    return [absent, *_kept(worker, path, authorities, who, row, bundle)], None


def _read(worker: MediaWorker, path: Path, authorities: Sequence[str], store: Path | None = None) -> Credentials:
    """One authority at a time: a certificate that one party gave out must not spoil what another has signed."""
    found = [sandboxed.credentials(worker, path, pem.encode("ascii"), store=store) for pem in authorities]
    best = next((one for one in found if one.trusted), None) or next(
        (o for o in found if o.state != "unreadable"), None
    )
    return best or sandboxed.credentials(worker, path, b"", store=store)


def _kept(
    worker: MediaWorker, path: Path, authorities: Sequence[str], who: str, row: Row | None, bundle: Bundle | None
) -> list[Finding]:
    """What still tells of a film whose credentials are gone: the store beside it, the index, the signed sidecar."""
    found: list[Finding] = []
    store = sidecar.manifest_path(path)
    if store.is_file():
        beside = _read(worker, path, authorities, store)
        text = f"the credentials kept in {store.name} {_words(beside.state, who)}"
        text += "; a film that was packed anew no longer matches them" if beside.state == "tampered" else ""
        found.append(Finding(beside.state == "trusted", f"c2pa.kept_{beside.state}", text))
    if row is not None or bundle is not None:
        where = "the index of films made here" if row is not None else "its signed sidecar"
        found.append(Finding(True, "film.traced", f"{where} still tells where it comes from"))
    return found


def _words(state: str, who: str) -> str:
    return WORDS[state].format(who=who)


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
