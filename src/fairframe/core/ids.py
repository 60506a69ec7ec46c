"""Public ids: a three-letter prefix and 128 random bits, so that an id tells its kind and nothing else."""

import secrets

from fairframe.core.errors import InputError

PREFIXES = {
    "pty": "party",
    "ctr": "contributor",
    "col": "collection",
    "ast": "asset",
    "sig": "signal",
    "drl": "document release",
    "trm": "terms",
    "cns": "consent event",
    "quo": "quote",
    "agr": "agreement",
    "hld": "hold",
    "rul": "ruling",
    "apl": "appeal",
    "clm": "claim",
    "inc": "incident",
    "sht": "shot",
    "rel": "dataset release",
    "itm": "item",
    "psn": "pseudonym",
    "dlv": "delivery",
    "lse": "lease",
    "fed": "feed",
    "obl": "obligation",
    "att": "attestation",
    "brc": "breach",
    "grt": "grant",
    "ckp": "checkpoint",
    "ext": "external model",
    "usg": "usage report",
    "out": "output",
    "rev": "revenue event",
    "scs": "score set",
    "txn": "ledger transaction",
    "alc": "allocation",
    "prd": "accounting period",
    "rmt": "remittance",
    "stm": "statement",
    "pay": "payout",
    "pbt": "payout batch",
    "run": "run",
    "doc": "document",
}
"""What each prefix stands for."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LETTERS = frozenset(_ALPHABET)
_LENGTH = 26  # 26 x 5 = 130 bits for 128, so the first character is at most "7"


def encode_id(prefix: str, raw: bytes) -> str:
    """The id of 16 given bytes under a prefix: Crockford base32, lower case, most significant first."""
    if prefix not in PREFIXES:
        raise ValueError(f"unknown id prefix {prefix!r}")
    if len(raw) != 16:
        raise ValueError("an id is made of 16 bytes")
    number = int.from_bytes(raw, "big")
    return f"{prefix}_" + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def new_id(prefix: str) -> str:
    """A fresh random id such as "ast_" and 26 characters. Raises ValueError on an unknown prefix."""
    return encode_id(prefix, secrets.token_bytes(16))


def check_id(text: object, prefix: str | None = None) -> str:
    """Return `text` if it is a well-formed id of `prefix` (of any known kind when None), else InputError."""
    wanted = PREFIXES.get(prefix, prefix) if prefix else "known"
    if isinstance(text, str) and len(text) == _LENGTH + 4:
        head, _, body = text.partition("_")
        known = head == prefix if prefix else head in PREFIXES
        if known and len(body) == _LENGTH and body[0] <= "7" and _LETTERS.issuperset(body):
            return text
    shown = repr(text)[:60]
    raise InputError(
        f"{shown} is not the id of a {wanted}" if prefix else f"{shown} is not an id",
        code="input.bad_id",
        remedy=f"An id looks like {prefix or 'ast'}_ and 26 letters and digits",
    )


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` is a well-formed id of `prefix`."""
    try:
        return bool(check_id(text, prefix))
    except InputError:
        return False
