"""What a verification found: data, never an exception."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. ok None: it could not be looked at here, and the text says why."""

    ok: bool | None
    code: str
    text: str

    def to_json(self) -> dict[str, object]:
        return {"ok": self.ok, "code": self.code, "text": self.text}


def all_hold(checks: list[Check]) -> bool:
    """True where at least one thing was looked at and nothing failed."""
    return any(c.ok for c in checks) and not any(c.ok is False for c in checks)
