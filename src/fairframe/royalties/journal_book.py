"""What the journal's formats write."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fairframe.core.period_body import TrialLine
from fairframe.royalties.ledger import Leg


@dataclass(frozen=True)
class Entry:
    """A transaction with its legs. The balances that a journal begins with have no id, and the kind "opening"."""

    txn: str
    kind: str
    subject: str
    memo: str
    effective_ms: int
    recorded_ms: int
    legs: tuple[Leg, ...]


@dataclass(frozen=True)
class Book:
    """A journal. first_ms, last_ms: the dates of its first and last entry; lines: its trial balance, by account;
    names: account -> whose it is. entries can be read once.
    """

    library: str
    first_ms: int
    last_ms: int
    lines: Sequence[TrialLine]
    names: Mapping[str, str]
    entries: Iterable[Entry]
