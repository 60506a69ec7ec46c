"""May a delivery be opened now? A pure rule over what a lab holds; every reason that speaks against it is told."""

from collections.abc import Iterator
from dataclasses import dataclass

from fairframe.core.time import DAY_MS, to_rfc3339


@dataclass(frozen=True)
class Finding:
    """Why a delivery may not be opened, and what to do."""

    code: str
    text: str
    remedy: str


@dataclass(frozen=True)
class Standing:
    """What counts for one delivery. Times in ms; None where there is no such thing.

    now_ms: the later of the clock and the latest signed time seen. feed_issued_ms: of the feed with the highest number
    that was taken (an older one is refused when it is handed in).
    """

    now_ms: int
    agreement_state: str
    kept_until_ms: int
    lease_starts_ms: int | None
    lease_ends_ms: int | None
    feed_issued_ms: int | None
    feed_max_age_ms: int


REFRESH = "Get the newest feed from the library, then: fairframe rights refresh feed.json"


def findings(standing: Standing) -> list[Finding]:
    """All reasons against opening; an empty list means that it may be opened."""
    return [*_agreement(standing), *_lease(standing), *_feed(standing)]


def _agreement(standing: Standing) -> Iterator[Finding]:
    if standing.agreement_state != "active":
        what = f"the agreement is {standing.agreement_state}"
        yield Finding("agreement.inactive", what, "Ask the library for a new agreement")
    elif standing.now_ms >= standing.kept_until_ms:
        what = f"the delivery was to be kept until {to_rfc3339(standing.kept_until_ms)}"
        yield Finding("delivery.retention", what, "Ask the library for a new delivery")


def _lease(standing: Standing) -> Iterator[Finding]:
    if standing.lease_starts_ms is None or standing.lease_ends_ms is None:
        yield Finding("lease.missing", "there is no lease", REFRESH)
    elif standing.now_ms >= standing.lease_ends_ms:
        yield Finding("lease.ended", f"the lease ended at {to_rfc3339(standing.lease_ends_ms)}", REFRESH)
    elif standing.now_ms < standing.lease_starts_ms:
        what = f"the lease begins at {to_rfc3339(standing.lease_starts_ms)}"
        yield Finding("lease.early", what, "Set this machine's clock right")


def _feed(standing: Standing) -> Iterator[Finding]:
    if standing.feed_issued_ms is None:
        yield Finding("feed.missing", "there is no revocation feed", REFRESH)
        return
    age_ms = standing.now_ms - standing.feed_issued_ms
    if age_ms > standing.feed_max_age_ms:
        limit = standing.feed_max_age_ms // DAY_MS
        yield Finding("feed.old", f"the feed is {age_ms // DAY_MS} days old, and the agreement allows {limit}", REFRESH)
