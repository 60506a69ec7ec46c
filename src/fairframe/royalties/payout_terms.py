"""What is asked before a payout, per currency, and what is withheld, per country. Dated; the newest counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import InputError
from fairframe.core.iban import check_bic, check_iban
from fairframe.core.money import Currency
from fairframe.core.rational import Share
from fairframe.core.territory import COUNTRIES
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger
from fairframe.royalties.payout_rules import Policy
from fairframe.royalties.tables import payout_policy, withholding_rate

MAX_HOLD_DAYS = 3_660


@dataclass(frozen=True)
class Terms:
    """A policy in force. id: its row, None where the library has set none. account, bic: from which it pays, or ""."""

    id: int | None
    policy: Policy
    account: str = ""
    bic: str = ""
    valid_from_ms: int = 0


@dataclass(frozen=True)
class Rate:
    """What is withheld from payees of a country. id: its row, None where the library has set none."""

    id: int | None
    share: Share


NONE = Rate(None, Share(0))


def set_policy(
    tx: WriteTx,
    currency: str,
    *,
    threshold_minor: int,
    hold_days: int,
    tax_form: bool,
    iban: str = "",
    bic: str = "",
    valid_from_ms: int | None = None,
) -> Terms:
    """Say what is asked in a currency from valid_from_ms on (now where None). iban: the library's own.

    Raises InputError.
    """
    Currency(currency)
    if not 0 <= threshold_minor <= ledger.MAX_MINOR:
        raise InputError("the threshold is below zero or too large", code="payout.threshold")
    if not 0 <= hold_days <= MAX_HOLD_DAYS:
        raise InputError(f"a hold lasts 0 to {MAX_HOLD_DAYS} days", code="payout.hold")
    values = {
        "currency": currency,
        "threshold_minor": threshold_minor,
        "hold_days": hold_days,
        "tax_form": tax_form,
        "account": check_iban(iban) if iban else "",
        "bic": check_bic(bic) if bic else "",
        "valid_from_ms": tx.now_ms if valid_from_ms is None else valid_from_ms,
    }
    ledger.lock(tx)
    key = tx.insert(payout_policy, **values)
    own = {name: str(values[name]) for name in ("account", "bic") if values[name]}
    told = {name: value for name, value in values.items() if name not in ("account", "bic")}
    tx.record("payout.policy", tx.ws.party_id, told, own)
    row = tx.row(payout_policy.select().where(payout_policy.c.id == key))
    assert row is not None
    return _terms(row)


def terms(tx: Tx, currency: str, at_ms: int | None = None) -> Terms:
    """What is asked in a currency at a time (now where None): nothing, where no policy was set."""
    columns = payout_policy.c
    where = (columns.currency == currency, columns.valid_from_ms <= (tx.now_ms if at_ms is None else at_ms))
    newest = payout_policy.select().where(*where).order_by(columns.valid_from_ms.desc(), columns.id.desc()).limit(1)
    row = tx.row(newest)
    return Terms(None, Policy()) if row is None else _terms(row)


def terms_of(tx: Tx, key: int | None) -> Terms:
    """The policy that a batch was prepared under."""
    row = None if key is None else tx.row(payout_policy.select().where(payout_policy.c.id == key))
    return Terms(None, Policy()) if row is None else _terms(row)


def policies(tx: Tx) -> Sequence[Row]:
    """Every policy that was set, by currency and time."""
    columns = payout_policy.c
    return tx.rows(payout_policy.select().order_by(columns.currency, columns.valid_from_ms, columns.id))


def set_rate(tx: WriteTx, country: str, rate: Share, valid_from_ms: int | None = None) -> Rate:
    """Say what is withheld from payees of a country from valid_from_ms on (now where None). Raises InputError."""
    code = country.strip().upper()
    if code not in COUNTRIES:
        raise InputError(
            f"{country[:20]!r} is not a country", code="input.bad_territory", remedy="Give a code such as US"
        )
    if rate.num == rate.den:
        raise InputError("a rate is below 1", code="payout.rate", remedy="Block a payee who is to get nothing")
    since = tx.now_ms if valid_from_ms is None else valid_from_ms
    ledger.lock(tx)
    key = tx.insert(withholding_rate, country=code, num=rate.num, den=rate.den, valid_from_ms=since)
    body = {"country": code, "rate": str(rate), "valid_from_ms": since}
    tx.record("payout.withholding", tx.ws.party_id, body)
    return Rate(key, rate)


def rates(tx: Tx, at_ms: int | None = None) -> dict[str, Rate]:
    """country -> what is withheld at a time (now where None)."""
    found: dict[str, Rate] = {}
    for row in rate_rows(tx):
        if row["valid_from_ms"] <= (tx.now_ms if at_ms is None else at_ms):
            found[row["country"]] = Rate(row["id"], Share(row["num"], row["den"]))
    return found


def rate_rows(tx: Tx) -> Sequence[Row]:
    """Every rate that was set, by country and time."""
    columns = withholding_rate.c
    return tx.rows(sa.select(withholding_rate).order_by(columns.country, columns.valid_from_ms, columns.id))


def _terms(row: Row) -> Terms:
    policy = Policy(row["threshold_minor"], row["hold_days"], bool(row["tax_form"]))
    return Terms(row["id"], policy, row["account"], row["bic"], row["valid_from_ms"])
