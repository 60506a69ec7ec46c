"""How many were left after each gate, and why the others fell out. Stays in the library: it is no lab's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Gate:
    """One step: `unit` counts that went in and came out, and the reasons (by count) of those that did not."""

    name: str
    unit: str
    entered: int
    left: int
    reasons: Mapping[str, int] = field(default_factory=dict[str, int])

    def to_json(self) -> dict[str, Any]:
        return {
            "gate": self.name,
            "unit": self.unit,
            "in": self.entered,
            "out": self.left,
            "reasons": dict(sorted(self.reasons.items())),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Gate":
        return cls(value["gate"], value["unit"], value["in"], value["out"], value["reasons"])

    def __str__(self) -> str:
        why = ", ".join(f"{code} {count}" for code, count in sorted(self.reasons.items()))
        return f"{self.name}: {self.left} of {self.entered} {self.unit}" + (f" ({why})" if why else "")


@dataclass(frozen=True)
class Funnel:
    """The gates in order: clearance (assets), selection, cutting, publication (clips)."""

    gates: tuple[Gate, ...]

    def to_json(self) -> list[dict[str, Any]]:
        return [gate.to_json() for gate in self.gates]

    def lines(self) -> list[str]:
        return [str(gate) for gate in self.gates]
