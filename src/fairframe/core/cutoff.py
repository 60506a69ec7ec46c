"""Where rounding cut between who got an extra unit and who did not, without saying where those two stand.

A remainder pool * weight mod total can be turned back into the weight, and a tie key names a pseudonym to whoever holds
the pseudonyms. So what is told is neither the last winner's nor the first loser's, but the roundest number between
them: the one that the highest power of two divides. A midpoint would tell the one to the other, who knows their own.
"""

from dataclasses import dataclass

Place = tuple[int, str]
"""A contributor's remainder and tie key (64 hex digits, lower-case)."""


@dataclass(frozen=True)
class Cutoff:
    """remainder: from this on there is a unit. tie_key: None, or where both had this very remainder: who has it gets
    one only with a tie key below this (64 hex digits)."""

    remainder: int
    tie_key: str | None

    @classmethod
    def between(cls, winner: Place, loser: Place) -> "Cutoff":
        """Between the last who got a unit and the first who did not. Raises ValueError where they are not in order."""
        if winner[0] > loser[0]:
            return cls(roundest(loser[0], winner[0]), None)
        if winner[0] < loser[0] or winner[1] >= loser[1]:
            raise ValueError("the winner is not before the loser")
        return cls(winner[0], f"{roundest(int(winner[1], 16), int(loser[1], 16)):064x}")

    def passed(self, remainder: int, tie_key: str) -> bool:
        """Whether there is a unit for this remainder and tie key."""
        if remainder != self.remainder or self.tie_key is None:
            return remainder >= self.remainder
        return tie_key < self.tie_key

    def to_json(self) -> dict[str, str | None]:
        return {"remainder": str(self.remainder), "tie_key": self.tie_key}


def roundest(low: int, high: int) -> int:
    """The number in (low, high] that the highest power of two divides; 0 <= low < high."""
    places = (low ^ high).bit_length() - 1
    return high >> places << places
