"""Payees: where a contributor's money goes, and what the tax office wants to know. Dated; the newest that holds counts.

Holder, account and BIC are personal data. They stand in one row of payee_detail, which erase deletes; what stays is a
salted commitment (audit.commitment) in the append-only row beside it, which the audit tree covers. A detail that was
changed in the database is found when it is read. Output shows them masked.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.core.canonical import canonical
from fairframe.core.errors import InputError, IntegrityFailure, Refused
from fairframe.core.iban import SEPA, check_bic, check_iban
from fairframe.core.territory import COUNTRIES
from fairframe.platform.audit import commitment
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger
from fairframe.royalties.payout_rules import Asked
from fairframe.royalties.tables import payee, payee_detail, payout, payout_event

MAX_TEXT = 140
_TAX_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,39}")
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./:-]{2,63}")


@dataclass(frozen=True)
class Detail:
    """What is personal. account: an IBAN without spaces, or another number; bic may be empty."""

    holder: str
    account: str
    bic: str

    def committed(self, salt: str) -> str:
        value = canonical({"account": self.account, "bic": self.bic, "holder": self.holder})
        return commitment(salt, value.decode())


@dataclass(frozen=True)
class Payee:
    """detail: None where none was given or it was erased. kind: "iban", "other" or "none"."""

    id: int
    contributor_id: int
    kind: str
    country: str
    tax_form: str
    tax_form_until_ms: int | None
    blocked: bool
    valid_from_ms: int
    detail: Detail | None

    def asked(self, at_ms: int) -> Asked:
        """What the rules ask about it."""
        lasts = self.tax_form_until_ms is None or self.tax_form_until_ms > at_ms
        return Asked(self.blocked, bool(self.tax_form) and lasts, self.detail is not None)

    @property
    def sepa(self) -> bool:
        """Whether a SEPA credit transfer can reach it."""
        return self.detail is not None and self.kind == "iban" and self.detail.account[:2] in SEPA

    def masked(self) -> dict[str, Any]:
        """For output: of the holder initials, of the account what tells it from another."""
        told: dict[str, Any] = {"kind": self.kind, "country": self.country, "tax_form": self.tax_form}
        told |= {"tax_form_until_ms": self.tax_form_until_ms, "blocked": self.blocked}
        told |= {"valid_from_ms": self.valid_from_ms, "holder": "", "account": "", "bic": ""}
        if self.detail is not None:
            told["holder"] = " ".join(f"{word[0]}***" for word in self.detail.holder.split())
            told["account"] = mask(self.detail.account)
            told["bic"] = mask(self.detail.bic)
        elif self.kind != "none":
            told["account"] = "erased"
        return told


NOBODY = Payee(0, 0, "none", "", "", None, False, 0, None)
"""Stands for a contributor about whom nothing was said."""


def mask(text: str) -> str:
    """Of a number of nine characters or more the first two and the last three; of a shorter one nothing."""
    return f"{text[:2]}***{text[-3:]}" if len(text) > 8 else "***" if text else ""


def set_payee(
    tx: WriteTx,
    contributor: Row,
    *,
    holder: str | None = None,
    iban: str | None = None,
    account: str | None = None,
    bic: str | None = None,
    country: str | None = None,
    tax_form: str | None = None,
    tax_form_until_ms: int | None = None,
    blocked: bool | None = None,
    valid_from_ms: int | None = None,
) -> Payee:
    """Say where a contributor's money goes from valid_from_ms on (now where None); None keeps what was said before.

    A new holder or account replaces holder, account and BIC together; a new tax form replaces its end. Raises
    InputError. What a batch holds already goes where it was to go when it was prepared.
    """
    ledger.lock(tx)
    since = tx.now_ms if valid_from_ms is None else valid_from_ms
    old = current(tx, contributor, since)
    kind, detail = old.kind, old.detail
    if holder is not None or iban is not None or account is not None or bic is not None:
        kind, detail = _detail(holder, iban, account, bic)
    salt = secrets.token_hex(16)
    values = {
        "account_kind": kind,
        "country": old.country if country is None else _country(country),
        "tax_form": old.tax_form if tax_form is None else _form(tax_form),
        "tax_form_until_ms": old.tax_form_until_ms if tax_form is None else tax_form_until_ms,
        "blocked": old.blocked if blocked is None else blocked,
        "commitment": "" if detail is None else detail.committed(salt),
        "valid_from_ms": since,
    }
    if tax_form is None and tax_form_until_ms is not None:
        raise InputError("the end of which tax form?", code="payee.tax_form", remedy="Name the form, too: --tax-form")
    key = tx.insert(payee, contributor_id=contributor["id"], **values)
    if detail is not None:
        tx.insert(payee_detail, payee_id=key, salt=salt, **vars(detail))
    told = {name: values[name] for name in ("account_kind", "blocked", "commitment", "valid_from_ms")}
    tx.record("payee.set", contributor["public_id"], told)
    return _read(tx, [_row(tx, key)])[key]


def erase(tx: WriteTx, contributor: Row) -> int:
    """Delete a contributor's holders, accounts and BICs; returns of how many rows. The commitments stay.

    Raises Refused while a payout of theirs is not at its end (payout.open): its file could not be written again.
    """
    ledger.lock(tx)
    ended = payout_event.alias("ended")
    last = ended.c.state.not_in(("reserved", "submitted"))
    open_ = (
        sa.select(payout.c.public_id)
        .join(payout_event, payout_event.c.payout_id == payout.c.id)
        .where(payout.c.contributor_id == contributor["id"])
        .where(~sa.exists().where(ended.c.payout_id == payout.c.id, last))
        .order_by(payout.c.id)
    )
    waiting = tx.scalar(open_)
    if waiting is not None:
        raise Refused(
            "a payout to them is not at its end",
            code="payee.open",
            where=waiting,
            remedy="Settle, return or cancel it first",
        )
    theirs = sa.select(payee.c.id).where(payee.c.contributor_id == contributor["id"])
    count = tx.execute(payee_detail.delete().where(payee_detail.c.payee_id.in_(theirs))).rowcount
    tx.record("payee.erased", contributor["public_id"], {"rows": count})
    return count


def current(tx: Tx, contributor: Row, at_ms: int | None = None) -> Payee:
    """The payee that counts at a time (now where None); NOBODY where nothing was said."""
    return currents(tx, at_ms, contributor["id"]).get(contributor["id"], NOBODY)


def currents(tx: Tx, at_ms: int | None = None, contributor_id: int | None = None) -> dict[int, Payee]:
    """contributor's key -> the payee that counts at a time (now where None), of all or of one."""
    newest = (payee.c.valid_from_ms.desc(), payee.c.id.desc())
    place = sa.func.row_number().over(partition_by=payee.c.contributor_id, order_by=newest).label("place")
    inner = sa.select(payee, place).where(payee.c.valid_from_ms <= (tx.now_ms if at_ms is None else at_ms))
    if contributor_id is not None:
        inner = inner.where(payee.c.contributor_id == contributor_id)
    ranked = inner.subquery("ranked")
    rows = tx.rows(sa.select(ranked).where(ranked.c.place == 1))
    return {one.contributor_id: one for one in _read(tx, rows).values()}


def of_batch(tx: Tx, batch_id: int) -> dict[int, Payee]:
    """key -> payee, of those that a batch pays to."""
    used = sa.select(payout.c.payee_id).where(payout.c.payout_batch_id == batch_id)
    return _read(tx, tx.rows(payee.select().where(payee.c.id.in_(used))))


def _row(tx: Tx, key: int) -> Row:
    row = tx.row(payee.select().where(payee.c.id == key))
    assert row is not None
    return row


def _read(tx: Tx, rows: Sequence[Row]) -> dict[int, Payee]:
    details = _details(tx, rows)
    found: dict[int, Payee] = {}
    for row in rows:
        held = details.get(row["id"])
        detail = None if held is None else Detail(held["holder"], held["account"], held["bic"])
        if held is not None and detail is not None and detail.committed(held["salt"]) != row["commitment"]:
            raise IntegrityFailure(
                "a payee's account is not the one that was recorded",
                code="payee.changed",
                where=f"payee {row['id']}",
                remedy="Somebody changed the database: nothing is paid to it. Set it anew: royalties payee set",
            )
        found[row["id"]] = Payee(
            row["id"],
            row["contributor_id"],
            row["account_kind"],
            row["country"],
            row["tax_form"],
            row["tax_form_until_ms"],
            bool(row["blocked"]),
            row["valid_from_ms"],
            detail,
        )
    return found


def _details(tx: Tx, rows: Sequence[Row]) -> Mapping[int, Row]:
    chosen = among(tx.conn, payee_detail.c.payee_id, [row["id"] for row in rows])
    return {row["payee_id"]: row for row in tx.rows(payee_detail.select().where(chosen))}


def _detail(holder: str | None, iban: str | None, account: str | None, bic: str | None) -> tuple[str, Detail]:
    if holder is None or (iban is None) == (account is None):
        raise InputError(
            "an account is a holder and either an IBAN or another number",
            code="payee.account",
            remedy="Say --holder with --iban, or with --account",
        )
    name = " ".join(holder.split())
    if not name or len(name) > MAX_TEXT or not name.isprintable():
        raise InputError("the holder is empty, too long or not printable", code="payee.holder")
    number = check_iban(iban) if iban is not None else (account or "").strip()
    if iban is None and _ACCOUNT.fullmatch(number) is None:
        raise InputError(
            "this is no account number", code="payee.account", remedy="3-64 letters, digits, spaces and . / : -"
        )
    return ("other" if iban is None else "iban"), Detail(name, number, check_bic(bic) if bic else "")


def _country(text: str) -> str:
    code = text.strip().upper()
    if code not in COUNTRIES:
        raise InputError(f"{text[:20]!r} is not a country", code="input.bad_territory", remedy="Give a code such as US")
    return code


def _form(text: str) -> str:
    if text and _TAX_FORM.fullmatch(text) is None:
        raise InputError(
            f"{text[:40]!r} is no tax form's name", code="payee.tax_form", remedy="Write it like W-8BEN, or '' for none"
        )
    return text
