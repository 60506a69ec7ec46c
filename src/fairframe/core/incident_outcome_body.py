"""The body of the outcome of an incident, as a bundle carries it, with what happened in spite of the no. Read strictly.

An incident is a contributor's no that is valid from before it was recorded.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from fairframe.core.canonical import Json
from fairframe.core.fields import Fields
from fairframe.core.limits import REASON_MAX_CHARS

OUTCOMES = ("settled", "nothing_happened", "disputed")
MAX_LISTED = 100_000
SHOWN = 1_000
"""Assets that the account of an incident names one by one; it counts all."""
T = TypeVar("T")


@dataclass(frozen=True)
class Decided:
    """A release that was published while the no was valid and not yet known. items: those that it speaks against."""

    release: str
    name: str
    agreement: str
    at_ms: int
    items: int
    duration_ms: int

    @classmethod
    def read(cls, fields: Fields) -> "Decided":
        return cls(fields.id("release", "rel"), _name(fields), fields.id("agreement", "agr"), *_counted(fields))


@dataclass(frozen=True)
class Delivered:
    """A delivery of such items that was made in that time. lab: a name."""

    delivery: str
    name: str
    lab: str
    at_ms: int
    items: int
    duration_ms: int

    @classmethod
    def read(cls, fields: Fields) -> "Delivered":
        return cls(fields.id("delivery", "dlv"), _name(fields), fields.text("lab", max_chars=200), *_counted(fields))


@dataclass(frozen=True)
class Trained:
    """Frames of delivered items that a checkpoint consumed, by a report taken since the no is valid.

    When they were consumed nobody told; no later than the report. reported_ms: of the report that counts now.
    """

    checkpoint: str
    name: str
    party: str
    reported_ms: int
    frames: int
    of_all: int

    @classmethod
    def read(cls, fields: Fields) -> "Trained":
        return cls(
            fields.id("checkpoint", "ckp"),
            _name(fields),
            fields.id("party", "pty"),
            fields.ms("reported_ms"),
            fields.integer("frames", least=1),
            fields.integer("of_all", least=1),
        )


@dataclass(frozen=True)
class InSpite:
    """What happened in spite of a backdated no, as far as the library knew. assets: those named (SHOWN)."""

    concerns: int
    decided: tuple[Decided, ...]
    delivered: tuple[Delivered, ...]
    trained: tuple[Trained, ...]
    assets: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        return not (self.decided or self.delivered or self.trained)

    def to_json(self) -> dict[str, Any]:
        """With lists, as a document has them."""
        many = {"decided": self.decided, "delivered": self.delivered, "trained": self.trained}
        listed = {name: [asdict(one) for one in found] for name, found in many.items()}
        return {"concerns": self.concerns, **listed, "assets": list(self.assets)}

    @classmethod
    def read(cls, fields: Fields) -> "InSpite":
        """Raises BadDocument."""
        found = cls(
            fields.integer("concerns"),
            _rows(fields, "decided", Decided.read),
            _rows(fields, "delivered", Delivered.read),
            _rows(fields, "trained", Trained.read),
            tuple(_assets(fields)),
        )
        fields.close()
        return found


@dataclass(frozen=True)
class IncidentOutcome:
    """How a library answered for a no that was valid before it was recorded. words: noes that were said at once."""

    incident: str
    contributor: str
    words: int
    valid_from_ms: int
    recorded_at_ms: int
    due_ms: int
    outcome: str
    reason: str
    found: InSpite
    settled_at_ms: int

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "found": self.found.to_json()}

    @classmethod
    def from_json(cls, value: Json) -> "IncidentOutcome":
        """Raises BadDocument."""
        fields = Fields(value, "incident_outcome.body")
        body = cls(
            incident=fields.id("incident", "inc"),
            contributor=fields.id("contributor", "ctr"),
            words=fields.integer("words", least=1),
            valid_from_ms=fields.ms("valid_from_ms"),
            recorded_at_ms=fields.ms("recorded_at_ms"),
            due_ms=fields.ms("due_ms"),
            outcome=fields.text("outcome", one_of=OUTCOMES),
            reason=fields.text("reason", max_chars=REASON_MAX_CHARS),
            found=InSpite.read(fields.fields("found")),
            settled_at_ms=fields.ms("settled_at_ms"),
        )
        fields.close()
        return body


def _name(fields: Fields) -> str:
    return fields.text("name", max_chars=200)


def _counted(fields: Fields) -> tuple[int, int, int]:
    return fields.ms("at_ms"), fields.integer("items", least=1), fields.integer("duration_ms")


def _rows(fields: Fields, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
    found: list[T] = []
    for value in fields.list(name, max_items=MAX_LISTED):
        row = Fields(value, f"{fields.where}.{name}")
        found.append(read(row))
        row.close()
    return tuple(found)


def _assets(fields: Fields) -> list[str]:
    where = f"{fields.where}.assets"
    return [Fields({"asset": one}, where).id("asset", "ast") for one in fields.list("assets", max_items=SHOWN)]
