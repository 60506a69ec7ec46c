"""Money: whole minor units of an ISO 4217 currency, and entitlements in millionths of one."""

import re
from dataclasses import dataclass

from fairframe.core.errors import InputError

MICRO = 1_000_000
"""How many micro units make one minor unit (a cent, for USD)."""

MAX_MINOR = 2**53 - 1
"""The largest amount that a document can carry (see canonical.py)."""

# ISO 4217 list one by digits after the point. Codes without a minor unit (gold, SDR, test codes) cannot be
# paid out, so they are no currencies here.
_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
        "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK "
        "MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
        "RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
        "USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS = {code: digits for digits, codes in _BY_EXPONENT.items() for code in codes.split()}
_AMOUNT = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?")


@dataclass(frozen=True, order=True)
class Currency:
    """An active ISO 4217 currency by its three-letter code; InputError on any other text."""

    code: str

    def __post_init__(self) -> None:
        if self.code not in _EXPONENTS:
            raise InputError(
                f"{str(self.code)[:20]!r} is not a currency",
                code="input.bad_currency",
                remedy="Give an ISO 4217 code such as USD",
            )

    @property
    def exponent(self) -> int:
        """Digits after the point: one unit of the currency is 10 ** exponent minor units."""
        return _EXPONENTS[self.code]

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True)
class Money:
    """An amount in minor units. Adding or ordering two currencies raises ValueError; == is then False."""

    minor: int
    currency: Currency

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def __str__(self) -> str:
        return format_money(self)

    @property
    def micro(self) -> int:
        return self.minor * MICRO

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add or compare")
        return other.minor


def parse_money(text: str, code: str) -> Money:
    """ "10000.00" in a currency, exactly: ASCII digits and one point, no sign, separators or exponent.

    Raises InputError also when there are more decimals than the currency has, or it exceeds 2**53 - 1.
    """
    currency = Currency(code)
    match = _AMOUNT.fullmatch(text)
    decimals = (match.group(2) or "") if match else ""
    if match is None or len(decimals) > currency.exponent:
        example = "10000" if currency.exponent == 0 else "10000." + "0" * currency.exponent
        raise InputError(
            f"{text[:40]!r} is not an amount in {code}",
            code="input.bad_money",
            remedy=f"Write it like {example}",
        )
    minor = int(match.group(1) + decimals.ljust(currency.exponent, "0"))
    if minor > MAX_MINOR:
        raise InputError(f"{text[:40]} {code} is more than can be kept", code="input.bad_money")
    return Money(minor, currency)


def format_decimal(minor: int, currency: Currency) -> str:
    """ "10000.00": what parse_money reads, but for the sign of a negative amount."""
    return _point(minor, currency.exponent)


def format_money(money: Money) -> str:
    """ "10000.00 USD"."""
    return f"{format_decimal(money.minor, money.currency)} {money.currency}"


def format_micro(micro: int, currency: Currency) -> str:
    """An entitlement with all its digits: 12_345_678 micro units of USD are "0.12345678"."""
    return _point(micro, currency.exponent + 6)


def whole_minor(micro: int) -> int:
    """The minor units that can be paid from an entitlement of zero or more micro units: the floor."""
    if micro < 0:
        raise ValueError("an entitlement is not negative")
    return micro // MICRO


def _point(amount: int, digits: int) -> str:
    sign, text = "-" if amount < 0 else "", str(abs(amount)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else sign + text
