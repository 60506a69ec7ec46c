"""The files of a statement: signed JSON, CSV, a page for the screen and one for paper. All say the same."""

from collections.abc import Iterator, Mapping

from fairframe.core.errors import MissingExtra
from fairframe.royalties.paper.render import render_pdf
from fairframe.royalties.statement_html import render_html
from fairframe.royalties.statements import Statement


def files(found: Statement, posters: Mapping[str, bytes], language: str = "en") -> Iterator[tuple[str, bytes]]:
    """(file name, content) of each. Raises MissingExtra after the others where reportlab is not installed, so that
    nothing but the paper lacks; InputError on a language that it does not speak, before any."""
    missing: MissingExtra | None = None
    paper = b""
    try:
        paper = render_pdf(found, language)
    except MissingExtra as error:
        missing = error
    yield f"{found.id}.json", found.envelope
    yield f"{found.id}.csv", found.csv.encode()
    yield f"{found.id}.html", render_html(found, posters).encode()
    if missing is not None:
        raise missing
    yield f"{found.id}.{language}.pdf", paper
