"""The documents of a release. A new one is a file with FILE and write(), and one line here."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairframe.core.model_release_body import FIGURES
from fairframe.core.time import to_rfc3339
from fairframe.flows.disclosures import california, eu_summary, model_card, weights_license
from fairframe.flows.disclosures.sheet import Written
from fairframe.flows.disclosures.subject import Subject


@dataclass(frozen=True)
class Document:
    """file: its name in a release. what: for people."""

    file: str
    what: str
    write: Callable[[Subject], Written]


DOCUMENTS = (
    Document(model_card.FILE, "model card", model_card.write),
    Document(weights_license.FILE, "license of the weights", weights_license.write),
    Document(eu_summary.FILE, "EU AI Act, Art. 53(1)(d)", eu_summary.write),
    Document(california.FILE, "California AB 2013", california.write),
)


def draft(subject: Subject) -> dict[str, bytes]:
    """Every document and figures.json, by file name."""
    written = {one.file: one.write(subject) for one in DOCUMENTS}
    return {
        **{file: one.text.encode() for file, one in written.items()},
        FIGURES: _figures(subject, {file: one.references for file, one in written.items()}),
    }


def _figures(subject: Subject, references: Mapping[str, Mapping[str, int]]) -> bytes:
    """Every figure for programs, with the number that each document gives it."""
    figures = [
        {**figure.to_json(), "cited": {file: found[name] for file, found in references.items() if name in found}}
        for name, figure in subject.figures.items()
    ]
    conditions, ends_ms = subject.conditions, subject.conditions.ends_ms
    terms = {
        "model": subject.name,
        "purpose": subject.purpose,
        "license": None if subject.license is None else subject.license.id,
        "territory": str(conditions.territory),
        "ends_at": None if ends_ms is None else to_rfc3339(ends_ms),
        "commercial_output": conditions.commercial_output,
        "delete_on_opt_out": conditions.delete_on_opt_out,
        "bounds": [vars(one) for one in subject.bounds],
        "passed": [vars(one) for one in conditions.passed],
    }
    return json.dumps({**terms, "figures": figures}, indent=1, ensure_ascii=False).encode() + b"\n"
