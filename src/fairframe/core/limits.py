"""Limits that whoever writes a document and whoever verifies it must agree on."""

LISTED_MAX = 20_000
"""Weights of claimants that one statement lists, over all its allocations; a bundle is at most 16 MiB."""

REASON_MAX_CHARS = 2_000
"""A reason that a person gives for a decision."""


def derived_max_bytes(items_bytes: int) -> int:
    """The most that a file made from items.jsonl can take: it repeats the items in another form, and no more.

    Without a bound, a sparse file of any length in its place would be read to its end.
    """
    return 4 * items_bytes + (1 << 20)
