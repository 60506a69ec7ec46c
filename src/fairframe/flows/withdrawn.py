"""Whether what `verify` is asked about goes back to clips that were taken back since, by what a workspace knows.

A flag beside the checks of a model, of its lineage, or of a film (flows/taken_back.py says which models stay). A film
was made when nobody had taken anything back, and no term of an agreement says what becomes of it: that is told, and is
nobody's to decide here. Only a film that is dated after the deletion of its model was attested cannot be.
"""

from pathlib import Path
from typing import Any

from fairframe.core.bundle import Bundle, read_payload
from fairframe.core.dsse import MAX_ENVELOPE_BYTES, read_envelope
from fairframe.core.finding import Finding
from fairframe.core.time import to_rfc3339
from fairframe.flows.taken_back import CODE, deleted_ms, of_lineage
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace
from fairframe.verify.files import read_limited
from fairframe.verify.films import SUFFIX
from fairframe.verify.kind import Report
from fairframe.verify.lineage import LINEAGE

MODEL, DOCUMENT, FILM = "model", "document", "film"
FILM_CODE = "film.taken_back"
NO_TERM = "what becomes of a film that it made before stands in no term of the agreement: ask the library"


def with_withdrawn(report: Report, path: Path, ws: Workspace | None) -> Report:
    """The report on a model's folder, a lineage or a film, and what of its clips was taken back, as far as this
    workspace knows."""
    if ws is None or not report.holds or report.kind not in (MODEL, DOCUMENT, FILM):
        return report
    file = path / LINEAGE if path.is_dir() else path.with_name(path.name + SUFFIX) if report.kind == FILM else path
    bundle = _read(read_limited(file, MAX_ENVELOPE_BYTES))
    if bundle.type not in ("lineage", FILM):
        return report
    with ws.read() as tx:
        found = of_lineage(tx, bundle.body) if bundle.type == "lineage" else _of_film(tx, bundle)
    return Report(report.kind, (*report.findings, *found), report.cannot_show)


def _read(data: bytes) -> Bundle:
    return read_payload(read_envelope(data).payload)


def _of_film(tx: Tx, film: Bundle) -> list[Finding]:
    """What is said of the film's model, in words about the film. Its chain was checked before."""
    chain = film.body["chain"]
    assert isinstance(chain, dict)
    lineage, *others = (_lineage(one) for one in (chain, *chain.get("ancestors", [])))
    said = of_lineage(tx, lineage, {one["weights_hash"]: one for one in others})
    found = [_in_other_words(one, lineage["name"]) for one in said if one.code == CODE]
    deleted = deleted_ms(tx, lineage["weights_hash"])
    if deleted is not None:
        ok = film.issued_at_ms <= deleted
        text = f"the film is dated {to_rfc3339(film.issued_at_ms)}, {'before' if ok else 'after'}"
        found.append(Finding(ok, "film.model_deleted", f"{text} its model's deletion was attested"))
    return found


def _in_other_words(one: Finding, name: str) -> Finding:
    """A model that has to go says nothing against a film that it made before, and nothing for it."""
    text = f"of its model {name}: {one.text}"
    return Finding(None, FILM_CODE, f"{text}; {NO_TERM}") if one.ok is False else Finding(one.ok, FILM_CODE, text)


def _lineage(link: Any) -> dict[str, Any]:
    return _read(str(link["lineage"]).encode()).body
