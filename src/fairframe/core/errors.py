"""Every failure that Fairframe raises on purpose.

FairframeError
├── InputError          input           something typed or handed in is malformed
├── NotFound            not_found       a named thing does not exist here
├── Conflict            conflict        it exists already, or its state forbids this now
├── Refused             refused         a rule said no (has .reasons)
├── BadDocument         document        a document has the wrong shape
├── VerificationError   verify          a signature, hash or proof does not hold
├── IntegrityFailure    integrity       what we stored is not what we find
├── MediaError          media           a media file cannot be read or made
└── MissingExtra        missing_extra   an optional dependency is not installed

A code is stable and dotted ("input.bad_csv"): callers and tests match on it, never on the text. Exit codes
and HTTP statuses are mapped from these classes in cli/ and web/ only.
"""

from collections.abc import Sequence


class FairframeError(Exception):
    """A failure a person can act on. `where` names the file or field, `remedy` says what to do."""

    code: str = "fairframe"

    def __init__(self, message: str, *, remedy: str = "", code: str | None = None, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.where = where
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        text = self.message.rstrip(".")
        if self.where:
            text += f" ({self.where})"
        text += "."
        if self.remedy:
            text += f" {self.remedy.rstrip('.')}."
        return " ".join(text.split())


class InputError(FairframeError):
    """Something typed or handed in is malformed."""

    code = "input"


class NotFound(FairframeError):
    """A named thing does not exist in this workspace."""

    code = "not_found"


class Conflict(FairframeError):
    """It exists already, or its state forbids this now."""

    code = "conflict"


class Refused(FairframeError):
    """A rule said no. `reasons` holds one line per finding that led to it."""

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        reasons: Sequence[str] = (),
        remedy: str = "",
        code: str | None = None,
        where: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy, code=code, where=where)
        self.reasons = list(reasons)


class BadDocument(FairframeError):
    """A document is not of the shape that its type promises."""

    code = "document"


class VerificationError(FairframeError):
    """A signature, hash or proof does not hold."""

    code = "verify"


class IntegrityFailure(FairframeError):
    """What was stored is not what is found now."""

    code = "integrity"


class MediaError(FairframeError):
    """A media file cannot be read or made."""

    code = "media"


class MissingExtra(FairframeError):
    """An optional dependency is not installed; the remedy names its pip command."""

    code = "missing_extra"
