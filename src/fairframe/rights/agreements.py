"""From offer to agreement: the library offers, the lab countersigns, the library takes it back with both signatures.

Both sides keep a row and its events. The document is one envelope with two signatures over the same payload.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from fairframe.core import dsse
from fairframe.core.bundle import PAYLOAD_TYPE, AgreementRef, Bundle, read_payload, signable_until_ms
from fairframe.core.errors import BadDocument, Conflict, InputError, NotFound, Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.core.money import Currency, Money
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.platform import audit, bundles, identity, trust
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import clashes
from fairframe.rights.agreement import Agreement, Happened, State, ended_ms, governs
from fairframe.rights.agreement_document import Document
from fairframe.rights.drafts import Ask, draft
from fairframe.rights.offers import Terms
from fairframe.rights.tables import agreement as agreement_table
from fairframe.rights.tables import agreement_event


def offer(
    tx: WriteTx,
    offer_name: str,
    *,
    lab_party: str,
    fee: Money | None = None,
    ask: Ask | None = None,
    upgrade_of: str | None = None,
    starts_ms: int | None = None,
) -> bytes:
    """Library: sign an offer to a pinned lab; returns the envelope that the lab countersigns.

    ask: what the licensee asks for, as the offer stands where None; `fee` is short for Ask(rate=fee).
    Raises NotFound (offer, lab not pinned, upgrade_of), what drafts.draft raises, InputError (role), Refused
    (upgrade_of another lab's agreement, or one that is not in force; agreement.clash).
    """
    _role(tx, "library", "offer an agreement")
    drafted = draft(tx, offer_name, ask or Ask(rate=fee))
    lab = bundles.pinned(tx, lab_party)
    if lab.role != "lab":
        raise InputError(f"{lab.name} is not a lab", code="input.not_a_lab", where=lab_party)
    family = None if upgrade_of is None else _upgradable(tx, upgrade_of, lab_party).family
    public_id = new_id("agr")
    starts = tx.now_ms if starts_ms is None else starts_ms
    document = Document(
        offer=drafted.offer.name,
        offer_version=drafted.offer.version,
        terms=drafted.terms,
        library=tx.ws.party_id,
        lab=lab_party,
        fee=drafted.fee,
        upgrade_of=upgrade_of,
        family=family or public_id,
        starts_ms=starts,
        ends_ms=starts + drafted.terms.term_days * DAY_MS,
    )
    return _issue(tx, AgreementRef(public_id, 1), document)


def amend(tx: WriteTx, public_id: str, changes: Mapping[str, Any], *, fee: Money | None = None) -> bytes:
    """Library: sign a new version of an agreement in force; returns the envelope that the lab countersigns.

    changes: field of Terms -> its new value. fee: what the new version costs, nothing where None. The new version is a
    document of its own (id, version + 1) in the same family, with the same parties, purpose and start; it takes the
    older one's place when both have signed, and the older one stays readable.
    Raises NotFound, InputError (input.bad_terms; input.wrong_role), Refused (agreement.upgrade: not in force or not
    ours; agreement.clash).
    """
    _role(tx, "library", "amend an agreement")
    older = _upgradable(tx, public_id, find(tx, public_id).lab)
    terms = _amended(older, changes)
    ref = AgreementRef(new_id("agr"), older.version + 1)
    document = Document(
        offer=older.offer,
        offer_version=older.offer_version,
        terms=terms,
        library=older.library,
        lab=older.lab,
        fee=Money(0, older.fee.currency) if fee is None else fee,
        upgrade_of=older.public_id,
        family=older.family,
        starts_ms=older.starts_ms,
        ends_ms=older.starts_ms + terms.term_days * DAY_MS,
    )
    if document.ends_ms <= bundles.trusted_now_ms(tx):
        raise InputError("its term would be over already", code="input.bad_terms", where="term_days")
    return _issue(tx, ref, document)


def _amended(older: Agreement, changes: Mapping[str, Any]) -> Terms:
    fixed = sorted({"purpose", "price"} & set(changes))
    if fixed:
        raise InputError(
            f"{fixed[0]} cannot be amended",
            code="input.bad_terms",
            where=older.public_id,
            remedy="Offer an upgrade: fairframe rights agree --upgrade-of",
        )
    try:
        # the price was paid for the version before; what this one costs is its fee
        terms = Terms.from_json(older.terms.to_json() | {"price": None} | dict(changes))
    except BadDocument as error:
        raise InputError(error.message, code="input.bad_terms", where=older.public_id) from error
    if terms.to_json() == older.terms.to_json() | {"price": None}:
        raise InputError("nothing changes", code="input.bad_terms", where=older.public_id)
    return terms


def versions(tx: Tx, agreement: Agreement) -> list[Agreement]:
    """An agreement and the versions that it amends, newest first."""
    found = [agreement]
    while found[-1].version > 1 and found[-1].upgrade_of is not None:
        found.append(find(tx, found[-1].upgrade_of))
    return found


def standing(tx: Tx, agreement: Agreement) -> State:
    """Where an agreement stands for what was trained under it: as active as its newest version is, for its own term."""
    now = bundles.trusted_now_ms(tx)
    state = agreement.state(now)
    if state != "amended":
        return state
    newest = active_in_family(tx, agreement.family)
    return "active" if newest is not None and now < agreement.ends_ms else state


def _issue(tx: WriteTx, ref: AgreementRef, document: Document) -> bytes:
    audit.lock(tx.conn)
    clashes.refuse(tx, document.scope(ref.id), listing(tx))
    envelope = bundles.issue(tx, "agreement", document.lab, document.to_body(), ref, id=ref.id)
    _insert(tx, ref, document, envelope)
    _happen(tx, ref.id, "offered", {"offer": document.offer, "lab": document.lab, "fee_minor": document.fee.minor})
    return envelope


def countersign(tx: WriteTx, data: bytes) -> bytes:
    """Lab: check an offer of a pinned library, countersign it and return the agreement (one envelope, two signatures).

    Idempotent. Raises what bundles.accept raises, BadDocument, Refused (lapsed, ended, wrong upgrade).
    """
    _role(tx, "lab", "countersign an agreement")
    accepted = bundles.accept(tx, data, "agreement")
    bundle = accepted.bundle
    if not accepted.new:
        known = find(tx, bundle.id)
        assert known.signed is not None
        return known.signed
    document = Document.from_bundle(bundle)
    if bundles.pinned(tx, document.library).role != "library":
        raise VerificationError("the sender is not a library", code="agreement.not_a_library", where=bundle.id)
    _check_open(tx, bundle, document)
    if document.upgrade_of is not None:
        older = find(tx, document.upgrade_of)
        if (older.library, older.lab, older.family) != (document.library, tx.ws.party_id, document.family):
            raise Refused("it upgrades an agreement of other parties", code="agreement.upgrade", where=bundle.id)
        _check_version(bundle, document, older)
    _, key = identity.signer(tx)
    signed = dsse.add_signature(data, key)
    _insert(tx, bundle.agreement or AgreementRef(bundle.id, 1), document, data)
    _happen(tx, bundle.id, "countersigned", {"offer": document.offer, "library": document.library}, signed)
    _happen(tx, bundle.id, "active", {}, signed)
    return signed


def accept(tx: WriteTx, data: bytes) -> Agreement:
    """Library: take the countersigned agreement; from now on it is active (once its start has come). Idempotent.

    Raises VerificationError (altered, not signed by both the library and the lab it names), NotFound, Refused
    (agreement.not_open; agreement.clash, whose reasons explain with which exclusive agreement its scope clashes).
    """
    _role(tx, "library", "accept an agreement")
    audit.lock(tx.conn)
    envelope = dsse.read_envelope(data)
    bundle = read_payload(envelope.payload)
    if bundle.type != "agreement":
        what = f"this document is of type {bundle.type}, not agreement"
        raise BadDocument(what, code="bundle.type", where=bundle.id)
    ours = find(tx, bundle.id)
    if envelope.payload != dsse.read_envelope(ours.offered).payload or envelope.payload_type != PAYLOAD_TYPE:
        raise VerificationError(
            "this is not what was offered: the document was changed",
            code="agreement.altered",
            where=bundle.id,
            remedy="Send the lab the offer again",
        )
    check_signed(tx, data)
    if ours.signed is not None:
        return ours
    trust.refuse_unpinned(tx, ours.lab, "its signature is not taken")
    bundles.refuse_revoked(tx, data, ours.lab)
    state = ours.state(bundles.trusted_now_ms(tx))
    if state != "offered":
        raise Refused(
            f"the offer is {state}",
            code="agreement.not_open",
            where=bundle.id,
            remedy="Make a new offer",
        )
    if ours.upgrade_of is not None:
        _upgradable(tx, ours.upgrade_of, ours.lab)
    clashes.refuse(tx, ours.scope(), listing(tx))
    _happen(tx, bundle.id, "countersigned", {"lab": ours.lab}, data)
    _happen(tx, bundle.id, "active", {}, data)
    return find(tx, bundle.id)


def check_signed(tx: Tx, data: bytes) -> Bundle:
    """Verify that the parties an agreement names both signed it, with keys valid while the offer was open.

    Raises VerificationError (agreement.wrong_signer where one of them did not), NotFound (a party is not pinned).
    """
    bundle = read_payload(dsse.read_envelope(data).payload)
    document = Document.from_bundle(bundle)
    for party_id in (document.library, document.lab):
        party = bundles.pinned(tx, party_id)
        until = bundle.issued_at_ms if party_id == bundle.sender else signable_until_ms(bundle)
        keys = party.keys_within(bundle.issued_at_ms, until)
        try:
            dsse.open_envelope(data, keys, payload_type=PAYLOAD_TYPE)
        except VerificationError as error:
            if error.code != "dsse.unknown_key":
                raise
            signers = [keyid for keyid, _ in dsse.read_envelope(data).signatures]
            _, why = party.key_fault(signers, bundle.issued_at_ms) or ("", f"{party.name} has not signed it")
            raise VerificationError(why, code="agreement.wrong_signer", where=bundle.id) from error
    return bundle


def withdraw(tx: WriteTx, public_id: str, reason: str) -> None:
    """Library: take back an offer that nobody has signed. Raises Conflict where it is no longer open."""
    state = _state_under_lock(tx, public_id)
    if state != "offered":
        raise Conflict(f"the agreement is {state}", code="agreement.not_open", where=public_id)
    _happen(tx, public_id, "withdrawn", {}, reason=reason)


def terminate(tx: WriteTx, public_id: str, reason: str) -> None:
    """Either side: end an agreement now. Leases are no longer renewed. Raises Conflict where it has ended."""
    state = _state_under_lock(tx, public_id)
    if state not in ("active", "pending"):
        raise Conflict(f"the agreement is {state}", code="agreement.ended", where=public_id)
    _happen(tx, public_id, "terminated", {}, reason=reason)


def find(tx: Tx, public_id: str) -> Agreement:
    """An agreement by its agr_ id. Raises NotFound."""
    row = tx.row(agreement_table.select().where(agreement_table.c.public_id == public_id))
    if row is None:
        what = f"no agreement {public_id[:60]!r}"
        raise NotFound(what, code="agreement.missing", remedy="See: fairframe rights list")
    return _read(tx, row)


def listing(tx: Tx, family: str | None = None) -> list[Agreement]:
    """All agreements, or those of a family, oldest first."""
    statement = agreement_table.select().order_by(agreement_table.c.id)
    if family is not None:
        statement = statement.where(agreement_table.c.family == family)
    return [_read(tx, row) for row in tx.rows(statement)]


def active_in_family(tx: Tx, family: str) -> Agreement | None:
    """The agreement of a family that governs now (bundles.trusted_now_ms), None where none does."""
    return governs(listing(tx, family), bundles.trusted_now_ms(tx))


def family_ended_ms(tx: Tx, family: str) -> int | None:
    """When a family ended, by term or by termination; None where it has not. Time as in active_in_family."""
    return ended_ms(listing(tx, family), bundles.trusted_now_ms(tx))


def _state_under_lock(tx: WriteTx, public_id: str) -> State:
    """Where an agreement stands once nobody else can end or accept it before this transaction commits."""
    audit.lock(tx.conn)
    return find(tx, public_id).state(bundles.trusted_now_ms(tx))


def _upgradable(tx: Tx, public_id: str, lab: str) -> Agreement:
    older = find(tx, public_id)
    if older.lab != lab or older.library != tx.ws.party_id:
        raise Refused("it would upgrade another lab's agreement", code="agreement.upgrade", where=public_id)
    state = older.state(bundles.trusted_now_ms(tx))
    if state != "active":
        raise Refused(
            f"it would upgrade an agreement that is {state}",
            code="agreement.upgrade",
            where=public_id,
            remedy="Offer it as a new agreement",
        )
    return older


def _check_open(tx: Tx, bundle: Bundle, document: Document) -> None:
    now = bundles.trusted_now_ms(tx)
    until = min(bundle.issued_at_ms + document.terms.open_days * DAY_MS, document.ends_ms)
    if now >= until:
        raise Refused(
            f"the offer was open until {to_rfc3339(until)}",
            code="agreement.not_open",
            where=bundle.id,
            remedy="Ask the library for a new one",
        )


def _check_version(bundle: Bundle, document: Document, older: Agreement) -> None:
    """An amendment follows the version that it amends, and changes neither what it is for nor when it began."""
    version = 1 if bundle.agreement is None else bundle.agreement.version
    if version == 1:
        return
    same = (document.offer, document.terms.purpose, document.starts_ms) == (older.offer, older.purpose, older.starts_ms)
    if version != older.version + 1 or not same or older.amended_ms is not None:
        raise Refused(
            f"it does not amend version {older.version} of {older.public_id}",
            code="agreement.version",
            where=bundle.id,
            remedy="Ask the library for an amendment of the newest version",
        )


def _role(tx: Tx, role: str, what: str) -> None:
    if tx.ws.role != role:
        raise InputError(f"only a {role} can {what}", code="input.wrong_role", where=tx.ws.name)


def _insert(tx: WriteTx, ref: AgreementRef, document: Document, envelope: bytes) -> None:
    tx.insert(
        agreement_table,
        public_id=ref.id,
        version=ref.version,
        family=document.family,
        offer=document.offer,
        offer_version=document.offer_version,
        purpose=document.terms.purpose,
        terms=document.terms.to_json(),
        library_party=document.library,
        lab_party=document.lab,
        fee_minor=document.fee.minor,
        currency=document.fee.currency.code,
        upgrade_of=document.upgrade_of,
        starts_ms=document.starts_ms,
        ends_ms=document.ends_ms,
        envelope=envelope.decode(),
    )


def _happen(
    tx: WriteTx,
    public_id: str,
    kind: str,
    body: dict[str, str | int],
    envelope: bytes | None = None,
    reason: str = "",
) -> None:
    agreement_id = tx.scalar(sa.select(agreement_table.c.id).where(agreement_table.c.public_id == public_id))
    tx.insert(
        agreement_event,
        agreement_id=agreement_id,
        kind=kind,
        envelope=envelope.decode() if envelope is not None else None,
        reason=reason,
        valid_from_ms=tx.now_ms,
    )
    tx.record(f"agreement.{kind}", public_id, body, {"reason": reason} if reason else None)


def _read(tx: Tx, row: Row) -> Agreement:
    events: Sequence[Row] = tx.rows(
        agreement_event.select().where(agreement_event.c.agreement_id == row["id"]).order_by(agreement_event.c.id)
    )
    signed = next((e["envelope"] for e in events if e["envelope"] is not None), None)
    offered: str = row["envelope"]
    terms = Terms.from_json(row["terms"])
    joined = agreement_event.join(agreement_table, agreement_table.c.id == agreement_event.c.agreement_id)
    newer = (agreement_table.c.upgrade_of == row["public_id"]) & (agreement_table.c.version == row["version"] + 1)
    amended = sa.select(sa.func.min(agreement_event.c.valid_from_ms)).select_from(joined)
    amended_ms = tx.scalar(amended.where(newer, agreement_table.c.version > 1, agreement_event.c.kind == "active"))
    issued_ms = read_payload(dsse.read_envelope(offered.encode()).payload).issued_at_ms
    return Agreement(
        id=row["id"],
        public_id=row["public_id"],
        version=row["version"],
        family=row["family"],
        offer=row["offer"],
        offer_version=row["offer_version"],
        terms=terms,
        library=row["library_party"],
        lab=row["lab_party"],
        fee=Money(row["fee_minor"], Currency(row["currency"])),
        upgrade_of=row["upgrade_of"],
        starts_ms=row["starts_ms"],
        ends_ms=row["ends_ms"],
        open_until_ms=min(issued_ms + terms.open_days * DAY_MS, row["ends_ms"]),
        offered=offered.encode(),
        signed=signed.encode() if signed is not None else None,
        amended_ms=amended_ms,
        happened=tuple(Happened(e["kind"], e["valid_from_ms"], e["reason"]) for e in events),
    )
