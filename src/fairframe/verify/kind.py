"""What a check of one kind of target is, and what it returns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fairframe.core.finding import Finding as Finding
from fairframe.verify.trust import Trust

MAX_STRAYS = 10_000
"""Things that nobody signed, after which a folder is not looked through any further."""


@dataclass(frozen=True)
class Target:
    """What is to be verified: a file's bytes, or a folder (`data` is then None).

    `type` is what it claims to be, read without verifying anything: a bundle's type, "party", or "".
    `agreements` and `statements` are documents that a person gives beside it, to compare a statement with; `against`
    are documents that somebody kept, with older heads to compare a log proof with.
    """

    path: Path
    data: bytes | None
    type: str
    agreements: tuple[bytes, ...] = ()
    statements: tuple[bytes, ...] = ()
    against: tuple[bytes, ...] = ()

    @property
    def is_folder(self) -> bool:
        return self.data is None


@dataclass(frozen=True)
class Kind:
    """One kind of target: when it applies, its check, and what the check cannot show however it ends.

    `check(target, trust, now_ms)` returns findings for whatever it met in the target; it raises only when
    something outside the target is in the way, such as a disk that fails.
    """

    name: str
    matches: Callable[[Target], bool]
    check: Callable[[Target, Trust, int], list[Finding]]
    cannot_show: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The outcome for one target."""

    kind: str
    findings: tuple[Finding, ...]
    cannot_show: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether something was checked and nothing of it fails."""
        return any(finding.ok for finding in self.findings) and all(f.ok is not False for f in self.findings)

    @property
    def outcome(self) -> str:
        """The sum in words: how many checks hold or fail, and how many could not be made here."""
        total, failed, unseen = len(self.findings), *(sum(f.ok is ok for f in self.findings) for ok in (False, None))
        if failed:
            return f"{failed} of {total} checks do not hold"
        if unseen == total:
            return "nothing of it could be checked"
        return f"all {total - unseen} checks hold" + (f", {unseen} could not be made" if unseen else "")


def several(code: str, bad: list[str], good: str) -> list[Finding]:
    """One finding when nothing is bad, else one for each bad thing, at most twenty and the number of the rest."""
    if not bad:
        return [Finding(True, code, good)]
    shown = [Finding(False, code, text) for text in bad[:20]]
    if len(bad) > 20:
        shown.append(Finding(False, code, f"and {len(bad) - 20} more"))
    return shown


def strays(code: str, found: Iterable[str], good: str) -> list[Finding]:
    """Like several, for what lies in a folder unsigned: it is sorted, and looked for up to MAX_STRAYS times only."""
    listed = list(islice(found, MAX_STRAYS + 1))
    if len(listed) > MAX_STRAYS:
        text = f"more than {MAX_STRAYS} things lie in the folder that nobody signed: the rest was not looked at"
        return [Finding(False, code, text)]
    return several(code, sorted(listed), good)
