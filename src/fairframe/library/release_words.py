"""What the words of a document release say, told by whoever puts it on file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fairframe.core.errors import Conflict, InputError
from fairframe.core.territory import WORLD, Territory
from fairframe.library.contributors import clean_name

Kind = Literal["model", "property"]
KINDS = ("model", "property")
FOREVER_MS = 2**62


@dataclass(frozen=True)
class Words:
    """What a release says. from_ms: now where None; until_ms: the first moment at which it holds no more, never where
    None. guardian: the name of who signed for a minor, "" where nobody did."""

    kind: str
    ai_training: bool
    territory: Territory = WORLD
    from_ms: int | None = None
    until_ms: int | None = None
    minor: bool = False
    guardian: str = ""


def check(words: Words, now_ms: int) -> None:
    """Raises InputError (input.bad_release) where what is said of a release contradicts itself."""
    begins = now_ms if words.from_ms is None else words.from_ms
    ends = FOREVER_MS if words.until_ms is None else words.until_ms
    wrong = {
        f"{words.kind[:40]!r} is no kind of release": (
            "Say model or property",
            words.kind not in ("model", "property"),
        ),
        "it ends before it begins": ("Mind --from and --until", begins >= ends),
        "its territory is empty": ("Name a country, or world", not words.territory),
        "no property is a minor": ("Say minor of a model release only", words.minor and words.kind != "model"),
        "a guardian signs for a minor": ("Say minor too", bool(words.guardian.strip()) and not words.minor),
    }
    for problem, (remedy, holds) in wrong.items():
        if holds:
            raise InputError(problem, code="input.bad_release", remedy=remedy)
    if words.guardian.strip():
        clean_name(words.guardian)


def values_of(words: Words, now_ms: int) -> tuple[dict[str, Any], str]:
    """The columns of a release, and the guardian's name, which is in none of them. Raises as `check`."""
    check(words, now_ms)
    guardian = clean_name(words.guardian) if words.guardian.strip() else ""
    return {
        "kind": words.kind,
        "ai_training": words.ai_training,
        "territory": str(words.territory),
        "valid_from_ms": now_ms if words.from_ms is None else words.from_ms,
        "valid_until_ms": words.until_ms,
        "minor": words.minor,
        "guardian": bool(guardian),
    }, guardian


def must_agree(row: Mapping[Any, Any], values: Mapping[str, Any], words: Words) -> None:
    """Raises Conflict where a release on file says otherwise. Where none says from when, any beginning agrees."""
    same = all(plain(row, name) == values[name] for name in values if name != "valid_from_ms")
    if not same or (words.from_ms is not None and words.from_ms != row["valid_from_ms"]):
        raise Conflict(
            f"this document is on file as {row['public_id']} and is said to say otherwise",
            code="release.differs",
            remedy="Put a new scan on file with the right words, and revoke that one",
        )


def plain(row: Mapping[Any, Any], name: str) -> Any:
    """A value with what NULL means in a row that came before the column."""
    value = row[name]
    if name in ("ai_training", "minor", "guardian"):
        return bool(value)
    return str(WORLD) if name == "territory" and value is None else value
