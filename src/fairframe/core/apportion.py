"""Hamilton's method (largest remainder): split a whole number by weights so that the parts sum exactly."""

import hashlib
from collections.abc import Sequence


def hamilton(total: int, weights: Sequence[int], tie_keys: Sequence[bytes]) -> list[int]:
    """The parts of `total`, in the order of `weights`.

    Each part is the floor of its quota total * weight / sum(weights); what is left goes, one unit each, to
    the largest remainders, ties by tie_key ascending. Every part is its quota rounded down or up, a zero
    weight gets zero, and because the keys differ the order of the claimants does not matter.

    Raises ValueError on a negative total or weight, all weights zero, or tie keys that are not one per weight
    and distinct. Source: Balinski and Young, Fair Representation (1982), chapter 3.
    """
    whole = sum(weights)
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("total and weights are not negative")
    if whole == 0:
        raise ValueError("at least one weight is above zero")
    if len(tie_keys) != len(weights) or len(set(tie_keys)) != len(tie_keys):
        raise ValueError("there is one distinct tie key per weight")
    parts: list[int] = []
    remainders: list[int] = []
    for weight in weights:
        part, remainder = divmod(total * weight, whole)
        parts.append(part)
        remainders.append(remainder)
    left = total - sum(parts)  # fewer than there are remainders above zero, so a zero weight is never reached
    if left:
        order = sorted(range(len(parts)), key=lambda at: (-remainders[at], tie_keys[at]))
        for at in order[:left]:
            parts[at] += 1
    return parts


def tie_key(salt: bytes, id: str) -> bytes:
    """SHA-256(salt || 0x00 || id): an order that nobody picks and who knows the salt can recompute."""
    return hashlib.sha256(salt + b"\x00" + id.encode("utf-8")).digest()
