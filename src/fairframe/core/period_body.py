"""The body of a closed accounting period, as a bundle carries it, and its trial balance beside it. Read strictly.

The lines beside it are one for each account and currency that held something or moved, in ascending code point order.
What is held is positive, what is owed or earned negative. The body itself tells the sums of each kind of account.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fairframe.core.beside import Beside, read_object
from fairframe.core.canonical import Json, canonical
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.money import Currency
from fairframe.core.time import to_rfc3339

MAX_TOTALS = 10_000
STATEMENT = (
    "The library states that this is its trial balance of the period by accounting date, and that it takes nothing more"
    " into the period: what is found later is booked after it. Whether every receipt was booked stands in no ledger."
)


@dataclass(frozen=True)
class TrialLine:
    """An account, or a kind of account, in one currency, all in 10^-6 minor units; debit and credit are >= 0."""

    account: str
    currency: str
    opening_micro: int
    debit_micro: int
    credit_micro: int

    @property
    def closing_micro(self) -> int:
        return self.opening_micro + self.debit_micro - self.credit_micro

    def to_json(self) -> dict[str, Any]:
        names = ("opening_micro", "debit_micro", "credit_micro", "closing_micro")
        amounts = {name: str(getattr(self, name)) for name in names}
        return {"account": self.account, "currency": self.currency, **amounts}

    def line(self) -> bytes:
        return canonical(self.to_json())

    @classmethod
    def read(cls, fields: Fields) -> "TrialLine":
        """Read it; BadDocument (document.field, period.sum)."""
        account, currency = fields.text("account", max_chars=100), fields.text("currency", max_chars=3)
        one = cls(account, Currency(currency).code, *(_amount(fields, name) for name in ("opening", "debit", "credit")))
        closing = _amount(fields, "closing")
        fields.close()
        if min(one.debit_micro, one.credit_micro) < 0 or closing != one.closing_micro:
            what = f"opening + debit - credit is not the closing balance of {account} in {currency}"
            raise BadDocument(what, code="period.sum", where=fields.where)
        return one


@dataclass(frozen=True)
class PeriodBody:
    """[from_ms, to_ms) by accounting date, after the period `previous` ("" for the first).

    transactions: how many were dated into it. waiting: revenue whose pool was left open, to be allocated later.
    """

    from_ms: int
    to_ms: int
    previous: str
    transactions: int
    waiting: int
    totals: tuple[TrialLine, ...]
    beside: Beside

    def to_json(self) -> dict[str, Any]:
        return {
            "period": {"from": to_rfc3339(self.from_ms), "to": to_rfc3339(self.to_ms)},
            "previous": self.previous,
            "transactions": self.transactions,
            "waiting": self.waiting,
            "totals": [one.to_json() for one in self.totals],
            "list": self.beside.to_json(),
            "statement": STATEMENT,
        }

    @classmethod
    def from_json(cls, value: Json) -> "PeriodBody":
        fields = Fields(value, "period.body")
        period = fields.fields("period")
        body = cls(
            from_ms=period.time_ms("from"),
            to_ms=period.time_ms("to"),
            previous=fields.id("previous", "prd") if fields.value("previous") else "",
            transactions=fields.integer("transactions"),
            waiting=fields.integer("waiting"),
            totals=tuple(_totals(fields)),
            beside=Beside.read(fields.fields("list")),
        )
        fields.text("statement", one_of=[STATEMENT], max_chars=len(STATEMENT))
        period.close()
        fields.close()
        if body.from_ms >= body.to_ms or (body.previous == "") != (body.from_ms == 0):
            raise BadDocument("The period does not join the one before it", code="document.field", where=fields.where)
        return body

    def read(self, lines: Iterable[bytes]) -> Iterator[TrialLine]:
        """The lines of the trial balance. Raises BadDocument (period.order, period.sum) where they are not in order,
        do not sum to zero in a currency, or not to the totals that were signed."""
        sums, last = dict[tuple[str, str], TrialLine](), ("", "")
        for number, data in enumerate(lines, 1):
            where = f"period.items.jsonl:{number}"
            line = TrialLine.read(read_object(data, where))
            if (line.account, line.currency) <= last:
                raise BadDocument("The accounts are not in order", code="period.order", where=where)
            last = line.account, line.currency
            add(sums, line)
            yield line
        if [sums[key] for key in sorted(sums)] != list(self.totals) or not balanced(self.totals):
            what = "The trial balance does not sum to zero, or not to the totals that were signed"
            raise BadDocument(what, code="period.sum", where="period.items.jsonl")


def add(sums: dict[tuple[str, str], TrialLine], line: TrialLine) -> None:
    """Add a line to the sum of its kind of account: what stands before the colon."""
    key = line.account.partition(":")[0], line.currency
    old = sums.get(key, TrialLine(*key, 0, 0, 0))
    amounts = (old.opening_micro + line.opening_micro, old.debit_micro + line.debit_micro)
    sums[key] = TrialLine(*key, *amounts, old.credit_micro + line.credit_micro)


def balanced(lines: Iterable[TrialLine]) -> bool:
    """Whether opening and closing balances sum to zero in each currency, and so debits to credits."""
    by_currency = groupby(sorted(lines, key=lambda one: one.currency), key=lambda one: one.currency)
    held = (list(of_one) for _, of_one in by_currency)
    return all(not sum(x.opening_micro for x in one) and not sum(x.closing_micro for x in one) for one in held)


def _totals(fields: Fields) -> Iterator[TrialLine]:
    for value in fields.list("totals", max_items=MAX_TOTALS):
        yield TrialLine.read(Fields(value, "period.totals"))


def _amount(fields: Fields, name: str) -> int:
    text = fields.text(f"{name}_micro", max_chars=40)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or str(int(text)) != text:
        raise BadDocument(f"Field '{name}_micro' is not a decimal integer", code="document.field", where=fields.where)
    return int(text)
