"""Bank accounts: IBAN (ISO 13616, check digits by ISO 7064 MOD 97-10) and BIC (ISO 9362)."""

import re

from fairframe.core.errors import InputError

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")

_SEPA = (
    "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE"
    " SI SK SM VA"
)
SEPA = frozenset(_SEPA.split())
"""Letters with which the IBANs of the SEPA schemes begin (European Payments Council, EPC409-09)."""


def check_iban(text: str) -> str:
    """The IBAN without spaces. Raises InputError; the message does not repeat it."""
    iban = "".join(text.split()).upper()
    if _IBAN.fullmatch(iban) is None or _remainder(iban) != 1:
        raise InputError(
            "this is no IBAN: its form or its check digits are wrong",
            code="input.bad_iban",
            remedy="Copy it whole; another kind of account goes in with --account",
        )
    return iban


def check_bic(text: str) -> str:
    """The BIC in capitals. Raises InputError."""
    bic = "".join(text.split()).upper()
    if _BIC.fullmatch(bic) is None:
        raise InputError("this is no BIC", code="input.bad_bic", remedy="It has 8 or 11 characters")
    return bic


def _remainder(iban: str) -> int:
    """The first four characters go to the end, letters count from 10 (A) to 35 (Z); modulo 97."""
    return int("".join(str(int(one, 36)) for one in iban[4:] + iban[:4])) % 97
