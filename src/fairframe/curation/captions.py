"""The caption of a clip, from what its contributor wrote, by a plain rule.

A model that writes captions would be an ancestor with a license and training data of its own.
"""

import re
from collections.abc import Sequence

from fairframe.core.plain import is_plain

MAX_CHARACTERS = 240
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,200}>")


def caption(title: str, description: str, keywords: Sequence[str]) -> str:
    """The description; else the title and keywords; else an empty string.

    Markup, links and control characters go, spaces become single, a final period goes; at most 240 characters,
    cut between words. Keywords that the title already says are left out.
    """
    text = prose(description)
    if not text:
        text = prose(title)
        said = text.casefold()
        words = [word for word in dict.fromkeys(map(prose, keywords)) if word and word.casefold() not in said]
        text = ", ".join(([text] if text else []) + words)
    return _cut(text.rstrip(" .,;"))


def prose(text: str) -> str:
    """Text without markup, links, control characters and doubled spaces."""
    text = _LINK.sub(" ", _TAG.sub(" ", text))
    printable = "".join(char if is_plain(char) else " " for char in text)
    return " ".join(printable.split())


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    head, _, _ = text[: MAX_CHARACTERS + 1].rpartition(" ")
    return (head or text[:MAX_CHARACTERS]).rstrip(" .,;")
