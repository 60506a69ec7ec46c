"""The purposes that an agreement can be for, and which of them covers which use."""

COVERED_BY: dict[str, frozenset[str]] = {
    "evaluate": frozenset({"evaluate", "research", "commercial"}),
    "research": frozenset({"research", "commercial"}),
    "commercial": frozenset({"commercial"}),
}
"""A purpose, and the purposes of agreements that cover it."""
