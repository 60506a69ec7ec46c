"""Text from outside, made safe to show on a terminal: it must not move the cursor, color or hide what stands there."""

import json

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Parts of Persian and Hindi words: they choose the shape of the letters beside them, and hide none."""


def is_plain(text: str) -> bool:
    """Whether a text is one line of printable characters, with the joiners that some languages write."""
    return all(c.isprintable() or c in _JOINERS for c in text)


def plain(text: str) -> str:
    """One line of printable characters; what is none (escapes, line ends, turned writing) becomes U+FFFD."""
    return "".join(c if is_plain(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def plain_json(text: str, encoding: str = "utf-8") -> str:
    r"""JSON text with the same value, where what is not printable, or not in `encoding`, is written as \uXXXX."""
    return "".join(c if c == "\n" or (c.isprintable() and _fits(c, encoding)) else json.dumps(c)[1:-1] for c in text)


def _fits(character: str, encoding: str) -> bool:
    try:
        return character.isascii() or bool(character.encode(encoding))
    except UnicodeEncodeError:
        return False
