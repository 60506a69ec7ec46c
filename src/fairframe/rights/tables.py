"""Contributors' terms, consent events, quotes, agreements, holds and appeals, claims, incidents, rulings.

All are append-only.
"""

import sqlalchemy as sa

from fairframe.platform.database import json, key, number, one_of, public_id, ref, table, text

contributor_terms = table(
    "contributor_terms",
    key(),
    public_id(),
    text("name"),
    number("version"),
    one_of("regime", "opt-in", "opt-out"),
    number("notice_ms"),
    number("notice_days"),  # the notice period: silence binds nobody who was told later than this before
    number("effective_ms"),
    json("names"),  # purposes that silence consents to under opt-out: ["research", ...]
    text("text"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("name", "version"),
)

terms_acceptance = table(
    "terms_acceptance",
    key(),
    ref("contributor"),
    ref("contributor_terms"),
    number("noticed_ms"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

# an opt-out is one row: contributor scope, purpose '*', action '*', deny
consent_event = table(
    "consent_event",
    key(),
    public_id(),
    one_of("scope", "contributor", "collection", "asset"),
    ref("contributor"),
    ref("collection", nullable=True),
    ref("asset", nullable=True),
    text("purpose"),  # evaluate, research, commercial or *
    text("action"),  # train, ... or *
    one_of("effect", "allow", "deny"),
    text("reason"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

# what an offer came to for a licensee on a day; `figures`: what it would clear, cost and pay, without names of people
quote = table(
    "quote",
    key(),
    public_id(),
    text("offer"),
    text("lab_party"),
    json("ask"),
    json("terms"),
    number("fee_minor"),
    text("currency"),
    json("figures"),
    number("open_until_ms"),
    number("recorded_at_ms"),
)

quote_agreement = table(
    "quote_agreement",
    key(),
    ref("quote"),
    text("agreement"),  # public id of what was offered by it
    number("recorded_at_ms"),
    sa.UniqueConstraint("quote_id"),
)

agreement = table(
    "agreement",
    key(),
    public_id(),
    number("version"),
    text("family"),  # public id of the first agreement of the chain of upgrades
    text("offer"),
    number("offer_version"),
    one_of("purpose", "evaluate", "research", "commercial"),
    json("terms"),
    text("library_party"),
    text("lab_party"),
    number("fee_minor"),
    text("currency"),
    text("upgrade_of", nullable=True),
    number("starts_ms"),
    number("ends_ms"),
    text("envelope"),  # as first signed by the library
    number("recorded_at_ms"),
)

agreement_event = table(
    "agreement_event",
    key(),
    ref("agreement"),
    one_of("kind", "offered", "countersigned", "active", "withdrawn", "terminated"),
    text("envelope", nullable=True),
    text("reason"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

hold = table(
    "hold",
    key(),
    public_id(),
    ref("asset"),
    text("code"),
    text("reason"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

hold_lift = table(
    "hold_lift",
    key(),
    ref("hold"),
    text("reason"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

# an owner of the asset asks for a hold to be looked at again
appeal = table(
    "appeal",
    key(),
    public_id(),
    ref("hold"),
    ref("contributor"),
    text("reason"),
    number("recorded_at_ms"),
)

appeal_outcome = table(
    "appeal_outcome",
    key(),
    ref("appeal"),
    one_of("outcome", "lifted", "kept"),
    text("reason"),
    text("document"),  # public id of the signed document that says it
    number("recorded_at_ms"),
    sa.UniqueConstraint("appeal_id"),
)

# a contributor says that a film copies their clip; `found`: what was compared then, and what the film says of itself
claim = table(
    "claim",
    key(),
    public_id(),
    ref("contributor"),
    ref("asset", nullable=True),
    text("film_name"),
    text("film_hash", index=True),
    number("film_bytes"),
    text("words"),
    json("found"),
    number("recorded_at_ms"),
)

claim_outcome = table(
    "claim_outcome",
    key(),
    ref("claim"),
    one_of("outcome", "upheld", "dismissed"),
    text("reason"),
    text("document"),  # public id of the signed document that says it
    number("recorded_at_ms"),
    sa.UniqueConstraint("claim_id"),
)

# a no that was recorded later than it is valid from; its words: the contributor's noes with the same two times
incident = table(
    "incident",
    key(),
    public_id(),
    ref("contributor"),
    number("words"),
    number("valid_from_ms"),
    number("due_ms"),
    text("answers"),  # who has to answer
    number("recorded_at_ms"),
)

incident_outcome = table(
    "incident_outcome",
    key(),
    ref("incident"),
    one_of("outcome", "settled", "nothing_happened", "disputed"),
    text("reason"),
    text("document"),  # public id of the signed document that says it
    number("recorded_at_ms"),
    sa.UniqueConstraint("incident_id"),
)

ruling = table(
    "ruling",
    key(),
    public_id(),
    ref("asset"),
    text("finding"),
    one_of("decision", "allow", "deny"),
    text("reason"),
    number("valid_from_ms"),
    number("expires_ms", nullable=True),
    number("recorded_at_ms"),
    text("document", nullable=True),  # public id of the signed document that says it
)
