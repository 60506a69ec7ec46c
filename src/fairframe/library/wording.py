"""Text from strangers that will stand in a database, a terminal and a report."""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
# they make a line read otherwise than it is stored; joiners (also category Cf) are part of Persian and Hindi words
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def readable(text: str) -> bool:
    """Whether a one-line text has no control, surrogate, unassigned or direction-changing character."""
    return not any(unicodedata.category(letter) in _HIDDEN or letter in _BIDI for letter in text)


def visible(text: str) -> str:
    """`text` with U+FFFD for what `readable` does not allow."""
    return "".join(letter if readable(letter) else "\ufffd" for letter in text)


def storable(text: str) -> str:
    """`text` without what a database or UTF-8 cannot take: NUL and lone surrogates become U+FFFD."""
    return "".join("\ufffd" if letter == "\x00" or "\ud800" <= letter <= "\udfff" else letter for letter in text)
