"""What an agreement says, shown before it is signed and ever after."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.cli.shell import note, read_input, say, table
from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import FairframeError, NotFound
from fairframe.platform import bundles
from fairframe.platform.tx import Tx
from fairframe.rights import agreements, wording
from fairframe.rights.agreement_document import Document


@dataclass(frozen=True)
class Shown:
    """An agreement to be shown. state: here; "not taken here" for a document that this workspace does not know."""

    id: str
    document: Document
    state: str
    countersigned: bool
    library: str
    lab: str
    version: int
    amends: str | None
    changes: tuple[wording.Line, ...]

    def to_json(self) -> dict[str, Any]:
        parties = {"library_name": self.library, "lab_name": self.lab}
        said = {"id": self.id, "version": self.version, "state": self.state, "countersigned": self.countersigned}
        amended = [{"term": one.label, "now": one.words, "before": one.usual} for one in self.changes]
        said |= {"amends": self.amends, "changes": amended}
        return said | wording.to_json(self.document) | parties


def find(tx: Tx, given: str) -> Shown:
    """An agreement by id, or in a file. Raises NotFound, and what bundles.check raises for a file."""
    if not given.startswith("agr_") or Path(given).is_file():
        return opened(tx, read_input(Path(given)))
    known = agreements.find(tx, given)
    return _shown(tx, known.signed or known.offered)


def opened(tx: Tx, data: bytes) -> Shown:
    """A document's agreement, once its library's signature holds. Raises what bundles.check raises."""
    bundles.check(tx, data, "agreement")
    return _shown(tx, data)


def render(shown: Shown) -> None:
    version = f" (version {shown.version})" if shown.version > 1 else ""
    say(f"{shown.id}{version}: {shown.state}" + (", signed by both" if shown.countersigned else ", not countersigned"))
    if shown.amends is not None:
        say(f"amends {shown.amends}:")
        rows = [(one.label, one.usual, one.words) for one in shown.changes]
        table(["", "before", "from now on"], rows, empty="changes nothing that is known here")
    found = wording.lines(shown.document, shown.library, shown.lab)
    table(["", "agreed"], [(one.label, one.words) for one in found])
    for one in found:
        if one.usual:
            note(f"not the usual {shown.document.offer} license: {one.label}: {one.words} (usual: {one.usual})")


def _shown(tx: Tx, data: bytes) -> Shown:
    bundle = read_payload(read_envelope(data).payload)
    document = Document.from_bundle(bundle)
    try:
        state = str(agreements.find(tx, bundle.id).state(tx.now_ms))
    except NotFound:
        state = "not taken here"
    version = 1 if bundle.agreement is None else bundle.agreement.version
    amends = document.upgrade_of if version > 1 else None
    return Shown(
        bundle.id,
        document,
        state,
        _countersigned(tx, data),
        _name(tx, document.library),
        _name(tx, document.lab),
        version,
        amends,
        _changes(tx, amends, document),
    )


def _changes(tx: Tx, amends: str | None, document: Document) -> tuple[wording.Line, ...]:
    if amends is None:
        return ()
    try:
        return tuple(wording.changes(agreements.find(tx, amends).terms, document.terms))
    except NotFound:
        return ()


def _countersigned(tx: Tx, data: bytes) -> bool:
    try:
        agreements.check_signed(tx, data)
    except FairframeError:
        return False
    return True


def _name(tx: Tx, party: str) -> str:
    try:
        return f"{bundles.pinned(tx, party).name} ({party})"
    except NotFound:
        return f"{party} (not trusted here)"
