"""rights: consent, agreements and what follows from them, in the order in which they come up."""

from fairframe.cli import breaches, claims, consent, deals, feeds, quotes, review, what_if
from fairframe.cli.shell import group

app = group("Consent, agreements, clearance.")
for part in (consent, quotes, deals, feeds, breaches, claims, what_if):
    app.add_typer(part.app)
app.add_typer(review.app, name="review")
