"""The files of a payout batch for the bank: a CSV of every payout, and ISO 20022 pain.001.001.09 where SEPA can do it.

SEPA credit transfers are in euros, between IBANs of its countries. sepaxml 2.7.0 lays them out by the schema
pain.001.001.09 (message ids, times and the names of blocks it would draw by itself: here they follow from the batch),
and the result is validated against the XSD that it ships. What SEPA cannot do stands in the CSV only.

The files depend on rows that do not change once the batch is submitted, so that writing them again gives the same
bytes. They are made in the transaction that submits it, and compared with those that a person said yes to.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import sqlalchemy as sa

from fairframe.core.errors import Conflict, IntegrityFailure, MissingExtra, Refused
from fairframe.core.money import Currency, format_decimal
from fairframe.core.sheet import cell
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger, payees, payout_steps, payout_terms
from fairframe.royalties.payees import Detail, Payee
from fairframe.royalties.payout_states import LIVE, Parts
from fairframe.royalties.payout_steps import Stepped
from fairframe.royalties.payout_terms import Terms
from fairframe.royalties.tables import payout, payout_event

SCHEMA = "pain.001.001.09"
CSV_COLUMNS = (
    "payout", "end_to_end_id", "batch", "contributor", "holder", "account_kind", "account", "bic", "country",
    "currency", "amount", "gross", "withheld", "execution_date", "in_file",
)  # fmt: skip
MAX_SEPA_MINOR = 99_999_999_999
"""999,999,999.99 euros: the most that one SEPA credit transfer carries (EPC125-05, AT-T002)."""
_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]+")


@dataclass(frozen=True)
class Files:
    """pain: None where SEPA can carry none of it; why_not: how many payouts are in the CSV only, and why, or "".

    left: how many those are.
    """

    csv: bytes
    pain: bytes | None
    left: int
    why_not: str

    def named(self, batch: Row) -> dict[str, bytes]:
        """File name -> bytes."""
        pain = {} if self.pain is None else {f"{batch['public_id']}.{SCHEMA}.xml": self.pain}
        return {f"{batch['public_id']}.csv": self.csv, **pain}


@dataclass(frozen=True)
class _Order:
    parts: Parts
    payee: Payee
    detail: Detail
    sepa: bool

    @property
    def end_to_end(self) -> str:
        return end_to_end_id(self.parts.payout)


def end_to_end_id(payout: str) -> str:
    """What the bank's statement names a payout by: its id, with a hyphen, since SEPA knows no underscore."""
    return payout.replace("_", "-")


def files(tx: Tx, batch: Row, *, csv_only: bool = False) -> Files:
    """The files of a batch. csv_only: without pain.001.

    Raises Refused where nothing of it is live (payout.state), a payee's data was erased (payee.erased) or the policy
    names no account to pay from (payout.no_account); MissingExtra without sepaxml; IntegrityFailure (payout.schema).
    """
    terms = payout_terms.terms_of(tx, batch["payout_policy_id"])
    orders, day_ms = _orders(tx, batch), _day_ms(tx, batch)
    able = [one for one in orders if one.sepa]
    pain = None
    if able and not csv_only:
        pain = _pain(tx, batch, terms, able, day_ms)
    inside = frozenset(one.parts.payout for one in able) if pain is not None else frozenset[str]()
    left = len(orders) - len(inside)
    return Files(_csv(batch, orders, inside, day_ms), pain, left, _why(batch, orders, left, csv_only))


def submit(tx: WriteTx, batch: Row, *, csv_only: bool = False, confirmed: Files | None = None) -> tuple[Files, Stepped]:
    """Make the files of a batch and note it as sent with them, in one transaction; to be written once that is held.

    confirmed: what a person saw and said yes to; None where nobody was asked. Raises what files and
    payout_steps.submit raise, Conflict (payout.changed) where other files would be sent than those.
    """
    ledger.lock(tx)
    made = files(tx, batch, csv_only=csv_only)
    if confirmed is not None and made != confirmed:
        raise Conflict(
            "other files would go to the bank than those that were confirmed",
            code="payout.changed",
            where=batch["reference"],
            remedy="Nothing was recorded or written: run it again and look at the amounts",
        )
    return made, payout_steps.submit(tx, batch, made.named(batch))


def _day_ms(tx: Tx, batch: Row) -> int:
    """The day on which the bank is asked to pay: the planned one, or that of the submission if later."""
    c = payout_event.c
    of_it = sa.select(payout.c.id).where(payout.c.payout_batch_id == batch["id"])
    sent = tx.scalar(sa.select(sa.func.min(c.recorded_at_ms)).where(c.payout_id.in_(of_it), c.state == "submitted"))
    at_ms = tx.now_ms if sent is None else int(sent)
    return max(batch["execution_ms"], at_ms // DAY_MS * DAY_MS)


def _orders(tx: Tx, batch: Row) -> list[_Order]:
    if batch["by_hand"]:
        raise Refused("it was paid by hand: there is no file of it", code="payout.by_hand", where=batch["reference"])
    held = payees.of_batch(tx, batch)
    orders: list[_Order] = []
    for row in payout_steps.listing(tx, batch):
        if row["state"] not in (*LIVE, "returned"):
            continue
        payee = held[row["contributor_id"]]
        if payee.detail is None:
            raise Refused("the account that it went to was erased", code="payee.erased", where=row["public_id"])
        parts = payout_steps.parts_of(row)
        sepa = batch["currency"] == "EUR" and payee.sepa and parts.net_minor <= MAX_SEPA_MINOR
        orders.append(_Order(parts, payee, payee.detail, sepa))
    if not orders:
        raise Refused("all of it was canceled", code="payout.state", where=batch["reference"])
    return orders


def _why(batch: Row, orders: Sequence[_Order], left: int, csv_only: bool) -> str:
    if not left:
        return ""
    if csv_only:
        return f"all {left} payouts are in the CSV only, as asked"
    if batch["currency"] != "EUR":
        return f"no {SCHEMA} is written for {batch['currency']}: SEPA carries euros. The CSV holds all {left} payouts"
    return f"{left} of {len(orders)} payouts are in the CSV only: not to an IBAN that SEPA reaches, or too large for it"


def _csv(batch: Row, orders: Sequence[_Order], inside: frozenset[str], day_ms: int) -> bytes:
    """RFC 4180 with CRLF, UTF-8. Amounts are decimals; `amount` is what is transferred."""
    out, currency = io.StringIO(), Currency(batch["currency"])
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for one in orders:
        parts, detail = one.parts, one.detail
        amounts = (parts.net_minor, parts.gross_minor, parts.withheld_minor)
        told = (parts.payout, one.end_to_end, batch["reference"], parts.contributor, detail.holder, one.payee.kind)
        where = (detail.account, detail.bic, one.payee.country, currency.code)
        day = to_rfc3339(day_ms)[:10]
        file = SCHEMA if parts.payout in inside else "csv"
        shown = (*told, *where, *(format_decimal(amount, currency) for amount in amounts), day, file)
        writer.writerow([cell(text) for text in shown])
    return out.getvalue().encode()


def _pain(tx: Tx, batch: Row, terms: Terms, orders: Sequence[_Order], day_ms: int) -> bytes:
    if not terms.account:
        raise Refused(
            "the policy names no account to pay from",
            code="payout.no_account",
            where=batch["reference"],
            remedy=f"Cancel the batch, say it with royalties policy {batch['currency']} --pay-from IBAN, and prepare"
            " another; or write the CSV alone: --csv-only",
        )
    try:
        from sepaxml import SepaTransfer
        from sepaxml.validation import ValidationError, try_valid_xml
    except ImportError as error:
        raise MissingExtra(
            f"{SCHEMA} needs sepaxml",
            remedy='Install it: pip install "fairframe[money]", or write the CSV alone: --csv-only',
        ) from error
    name = sepa_text(tx.ws.name, 70)
    config: dict[str, Any] = {"name": name, "IBAN": terms.account, "batch": True, "currency": "EUR"}
    transfer = SepaTransfer(config | ({"BIC": terms.bic} if terms.bic else {}), schema=SCHEMA, clean=False)
    day = datetime.fromtimestamp(day_ms // 1000, UTC).date()
    for one in orders:
        payment: dict[str, Any] = {"name": sepa_text(one.detail.holder, 70), "IBAN": one.detail.account}
        payment |= {"amount": one.parts.net_minor, "execution_date": day, "endtoend_id": one.end_to_end}
        payment |= {"description": sepa_text(f"{name} {batch['reference']} {one.end_to_end}", 140)}
        transfer.add_payment(payment | ({"BIC": one.detail.bic} if one.detail.bic else {}))
    data = _named(transfer.export(validate=False), batch)
    try:
        try_valid_xml(data, SCHEMA)
    except ValidationError as error:
        raise IntegrityFailure(
            f"the file is not what {SCHEMA} asks for",
            code="payout.schema",
            where=batch["reference"],
            remedy="Write the CSV alone (--csv-only), and tell us",
        ) from error
    return data


def _named(data: bytes, batch: Row) -> bytes:
    """The message with the batch's id and time in the places where sepaxml puts random ones and its own clock."""
    space = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
    ElementTree.register_namespace("", space)
    root = ElementTree.fromstring(data)  # noqa: S314 - we have just made it
    said = end_to_end_id(batch["public_id"])
    values = {"MsgId": said, "PmtInfId": said, "CreDtTm": to_rfc3339(batch["recorded_at_ms"])}
    for name, value in values.items():
        for node in root.iter(f"{{{space}}}{name}"):
            node.text = value
    for agent in root.findall(f".//{{{space}}}DbtrAgt/{{{space}}}FinInstnId"):
        if len(agent) == 0:  # sepaxml leaves it empty without a BIC; the scheme's rules want a word in it (EPC130-08)
            other = ElementTree.SubElement(agent, f"{{{space}}}Othr")
            ElementTree.SubElement(other, f"{{{space}}}Id").text = "NOTPROVIDED"
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "utf-8") + b"\n"


def sepa_text(text: str, most: int) -> str:
    """Text in the Latin letters that every SEPA bank takes (EPC217-08): transliterated, what is left over a space."""
    from text_unidecode import unidecode

    words = _OUTSIDE.sub(" ", unidecode(text)).split()
    return " ".join(words)[:most].strip().lstrip("/") or "NOTPROVIDED"
