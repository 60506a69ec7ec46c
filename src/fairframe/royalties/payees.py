"""Payees: where a contributor's money goes, and what the tax office wants to know, dated.

A row says one thing or more of SAID. What counts at a time is, of each thing, the newest row by then that says it: a
word that is dated later and about something else changes nothing of what is said in between. A block is stricter: it
stands until it is lifted by a word that was said after it and counts from no earlier.

Holder, account and BIC are personal data. They stand in one row of payee_detail, which erase deletes; what stays is a
salted commitment (audit.commitment) in the append-only row beside it, which the audit tree covers. A detail that was
changed in the database is found when it is read. Output shows them masked.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
SAID: Mapping[str, tuple[str, ...]] = {
    "account": ("id", "account_kind", "commitment"),
    "country": ("country",),
    "tax_form": ("tax_form", "tax_form_until_ms"),
    "blocked": ("blocked",),
}
"""What a row can say, and the columns in which it does."""
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
    """id: the row that says the account; 0 where none does. detail: None where none was given or it was erased.

    kind: "iban", "other" or "none". valid_from_ms: of the newest word about them.
    """

    id: int
    contributor_id: int
    kind: str
    country: str
    tax_form: str
    tax_form_until_ms: int | None
    blocked: bool
    valid_from_ms: int
    detail: Detail | None

    def asked(self, at_ms: int, *, taxed: bool = False) -> Asked:
        """What the rules ask about it at a time. taxed: whether there are rates, which go by country."""
        lasts = self.tax_form_until_ms is None or self.tax_form_until_ms > at_ms
        form = bool(self.tax_form) and lasts
        return Asked(self.blocked, form, self.detail is not None, bool(self.country) or not taxed)

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
    """Say where a contributor's money goes from valid_from_ms on (now where None); about what is None it says nothing.

    A new holder or account replaces holder, account and BIC together; a new tax form replaces its end. Raises
    InputError. What a batch holds already goes where it was to go when it was prepared.
    """
    ledger.lock(tx)
    since = tx.now_ms if valid_from_ms is None else valid_from_ms
    kind, detail = "none", None
    if holder is not None or iban is not None or account is not None or bic is not None:
        kind, detail = _detail(holder, iban, account, bic)
    salt = secrets.token_hex(16)
    given = {"account": detail, "country": country, "tax_form": tax_form, "blocked": blocked}
    values = {
        "account_kind": kind,
        "country": "" if country is None else _country(country),
        "tax_form": "" if tax_form is None else _form(tax_form),
        "tax_form_until_ms": tax_form_until_ms,
        "blocked": bool(blocked),
        "commitment": "" if detail is None else detail.committed(salt),
        "valid_from_ms": since,
        "said": ",".join(name for name in SAID if given[name] is not None),
    }
    if tax_form is None and tax_form_until_ms is not None:
        raise InputError("the end of which tax form?", code="payee.tax_form", remedy="Name the form, too: --tax-form")
    key = tx.insert(payee, contributor_id=contributor["id"], **values)
    if detail is not None:
        tx.insert(payee_detail, payee_id=key, salt=salt, **vars(detail))
    told = {name: values[name] for name in ("account_kind", "blocked", "commitment", "valid_from_ms", "said")}
    tx.record("payee.set", contributor["public_id"], told)
    return current(tx, contributor, since)


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
    statement = payee.select().where(payee.c.valid_from_ms <= (tx.now_ms if at_ms is None else at_ms))
    if contributor_id is not None:
        statement = statement.where(payee.c.contributor_id == contributor_id)
    return _read(tx, _folded(tx.rows(statement.order_by(payee.c.valid_from_ms, payee.c.id))))


def when_paid(tx: Tx, at_ms: int, contributor_id: int | None = None) -> dict[int, Payee]:
    """As currents of the time of a payment; who is blocked now is blocked, whatever is said of later."""
    then = currents(tx, at_ms, contributor_id)
    if at_ms <= tx.now_ms:
        return then
    now = currents(tx, None, contributor_id)
    return {key: replace(one, blocked=one.blocked or now.get(key, NOBODY).blocked) for key, one in then.items()}


def of_batch(tx: Tx, batch: Row) -> dict[int, Payee]:
    """contributor's key -> the payee as it was when a batch was prepared, with the account that the batch pays to."""
    used = sa.select(payout.c.contributor_id, payout.c.payee_id).where(payout.c.payout_batch_id == batch["id"])
    accounts = {row["contributor_id"]: row["payee_id"] or 0 for row in tx.rows(used)}
    c = payee.c
    said = (
        payee.select()
        .where(among(tx.conn, c.contributor_id, list(accounts)), c.recorded_at_ms <= batch["recorded_at_ms"])
        .where(c.valid_from_ms <= max(batch["execution_ms"], batch["recorded_at_ms"]))
        .order_by(c.valid_from_ms, c.id)
    )
    return _read(tx, _folded(tx.rows(said), accounts))


def _folded(rows: Sequence[Row], accounts: Mapping[int, int] | None = None) -> list[dict[str, Any]]:
    """Rows in the order of their time as one for each contributor: of each thing the last that says it.

    accounts: contributor's key -> the only row whose account counts.
    """
    held: dict[int, dict[str, Any]] = {}
    blocks: dict[int, set[int]] = {}
    for row in rows:
        whose = row["contributor_id"]
        one = held.setdefault(whose, {"contributor_id": whose, **_NOTHING})
        for name in _said(row):
            if name != "account" or accounts is None or accounts[whose] == row["id"]:
                one.update((column, row[column]) for column in SAID[name])
            if name == "blocked":
                standing = blocks.get(whose, set())
                blocks[whose] = (
                    standing | {row["id"]} if row["blocked"] else {key for key in standing if key > row["id"]}
                )
                one["blocked"] = bool(blocks[whose])
        one["valid_from_ms"] = row["valid_from_ms"]
    return list(held.values())


def _said(row: Row) -> list[str]:
    if row["said"] is None:
        return [name for name in SAID if name != "account" or row["account_kind"] != "none"]
    return [name for name in str(row["said"]).split(",") if name]


_NOTHING: Mapping[str, Any] = {
    "id": 0,
    "account_kind": "none",
    "commitment": "",
    "country": "",
    "tax_form": "",
    "tax_form_until_ms": None,
    "blocked": False,
}


def _read(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> dict[int, Payee]:
    """contributor's key -> the payee, its detail opened and compared with its commitment."""
    details = _details(tx, [row["id"] for row in rows if row["id"]])
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
        found[row["contributor_id"]] = Payee(
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


def _details(tx: Tx, keys: Sequence[int]) -> Mapping[int, Row]:
    chosen = among(tx.conn, payee_detail.c.payee_id, keys)
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
