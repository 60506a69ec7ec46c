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

    def to_json(self) -> dict[str, Any]:
        parties = {"library_name": self.library, "lab_name": self.lab}
        said = {"id": self.id, "state": self.state, "countersigned": self.countersigned}
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
    say(f"{shown.id}: {shown.state}" + (", signed by both" if shown.countersigned else ", not countersigned"))
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
    return Shown(
        bundle.id, document, state, _countersigned(tx, data), _name(tx, document.library), _name(tx, document.lab)
    )


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
