"""Statements that were given together: what time they tell of, what they have booked in it, when each was signed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairframe.core.money import MICRO
from fairframe.core.time import from_rfc3339

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Booked:
    """What moved the contributor's balance, by a transaction. name: what findings call it."""

    name: str
    transaction: str
    at_ms: int
    amount_micro: int


@dataclass(frozen=True)
class Told:
    """A body whose form holds. issued_ms: when it was signed; the last moment of its period where that is not known."""

    body: Body
    issued_ms: int

    @classmethod
    def of(cls, body: Body, issued_ms: int | None) -> "Told":
        return cls(body, from_rfc3339(body["period"]["to"]) - 1 if issued_ms is None else issued_ms)

    @property
    def span(self) -> tuple[int, int]:
        """Its period, half-open. Nothing was booked before 1970, so from there on it tells of all time."""
        return from_rfc3339(self.body["period"]["from"]), from_rfc3339(self.body["period"]["to"])

    def booked(self) -> Iterator[Booked]:
        for one in self.body["allocations"]:
            at_ms, amount = from_rfc3339(one["booked_at"]), int(one["own"]["amount_micro"])
            yield Booked(one["allocation"], one["transaction"], at_ms, amount)
        for one in self.body["adjustments"]:
            at_ms, amount = from_rfc3339(one["booked_at"]), int(one["amount_micro"])
            yield Booked(f"the correction of {one['event']}", one["transaction"], at_ms, amount)
        for one in self.body["payouts"]:
            for step in one["steps"]:
                taken = int(step["paid_minor"]) + int(step["withheld_minor"])
                name = f"{one['payout']} {step['state']}"
                yield Booked(name, step["transaction"], from_rfc3339(step["booked_at"]), -taken * MICRO)

    def balance_micro(self, at_ms: int) -> int:
        """What stood at a time within the period, before what was booked then."""
        return int(self.body["opening_micro"]) + sum(one.amount_micro for one in self.booked() if one.at_ms < at_ms)


def whole(told: Sequence[Told], from_ms: int, to_ms: int) -> bool:
    """Whether the statements together tell of all time in [from_ms, to_ms)."""
    reached = max(from_ms, 0)
    for since, until in sorted(one.span for one in told):
        if since > reached:
            break
        reached = max(reached, until)
    return reached >= to_ms
