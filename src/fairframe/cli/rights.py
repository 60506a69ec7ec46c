"""rights: consent, agreements and what follows from them, in the order in which they come up."""

from fairframe.cli import (
    breaches,
    claims,
    consent,
    consent_bulk,
    deals,
    feeds,
    incidents,
    quotes,
    review,
    terms,
    what_if,
)
from fairframe.cli.shell import group

app = group("Consent, agreements, clearance.")
app.add_typer(terms.app, name="terms")
for part in (consent, consent_bulk, quotes, deals, feeds, breaches, claims, what_if):
    app.add_typer(part.app)
app.add_typer(review.app, name="review")
app.add_typer(incidents.app, name="incidents")
