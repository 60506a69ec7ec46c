"""Amounts and numbers as a statement shows them: whole units with separators, then the digits below them, small."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fairframe.core.money import MICRO, Currency, format_decimal, format_micro


@dataclass(frozen=True)
class Amount:
    """whole: what could be paid, with separators; rest: the digits below a minor unit, "" where all are zero."""

    whole: str
    rest: str

    @classmethod
    def of(cls, micro: int, currency: Currency) -> "Amount":
        sign, units = ("-" if micro < 0 else ""), abs(micro)
        rest = str(units % MICRO).rjust(6, "0") if units % MICRO else ""
        return cls(sign + grouped(format_decimal(units // MICRO, currency)), rest)


@dataclass(frozen=True)
class Money:
    """Writes the amounts of a body, which are decimal text, in its currency."""

    currency: Currency

    def amount(self, micro: str | int) -> Amount:
        return Amount.of(int(micro), self.currency)

    def minor(self, minor: str | int) -> str:
        """ "1,234.50"."""
        return grouped(format_decimal(int(minor), self.currency))

    def minor_of(self, minor: str | int) -> str:
        """ "1,234.50 USD"."""
        return f"{self.minor(minor)} {self.currency.code}"

    def exact(self, micro: str | int) -> str:
        """All digits: "1,234.50123456"."""
        return grouped(format_micro(int(micro), self.currency))

    def short(self, micro: str | int) -> str:
        """ "1,234.50123456 USD", without zeros that say nothing: "1,234.50 USD"."""
        amount = self.amount(micro)
        return (
            f"{amount.whole}{amount.rest if self.currency.exponent else '.' * bool(amount.rest) + amount.rest} {self}"
        )

    def __str__(self) -> str:
        return self.currency.code


def count(number: str | int) -> str:
    """ "12,345"."""
    return f"{int(number):,}"


def grouped(number: str) -> str:
    """Thousands separated by commas, in the whole part of a decimal text."""
    sign = "-" if number.startswith("-") else ""
    whole, point, rest = number.removeprefix("-").partition(".")
    return f"{sign}{int(whole):,}{point}{rest}"


def percent(part: str | int, whole: str | int) -> str:
    """ "12.34%", rounded down; integers only."""
    share = int(part) * 10_000 // int(whole)
    return f"{share // 100}.{share % 100:02d}%"


def by_file(clips: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Clips of an allocation in the order in which a person looks for one; the signed file has them by pseudonym."""
    return sorted(clips, key=lambda clip: (clip["filename"], clip["asset"]))
