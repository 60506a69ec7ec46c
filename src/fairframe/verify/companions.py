"""The signed documents beside a delivery: its agreement, the lease and the feed that came with it."""

from pathlib import Path

from fairframe.core.agreement_body import AgreementBody
from fairframe.core.beside import name_beside
from fairframe.core.bundle import Bundle
from fairframe.core.delivery_body import DeliveryBody, LeaseBody
from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import BadDocument, InputError, VerificationError
from fairframe.core.feed_body import FeedBody
from fairframe.core.time import to_rfc3339
from fairframe.verify.beside import signed_lines
from fairframe.verify.documents import open_checked
from fairframe.verify.files import hash_file, read_limited
from fairframe.verify.kind import Finding, several
from fairframe.verify.trust import Trust

FEED_ITEMS = name_beside("feed.json")
SIGNED = ("delivery.json", "agreement.json", "lease.json", "feed.json")


def read_signed(folder: Path, name: str, trust: Trust, now_ms: int) -> tuple[Bundle | None, list[Finding]]:
    """A sealed bundle of the folder, whose type is its file's name; None when it does not hold."""
    try:
        data = read_limited(folder / name, MAX_ENVELOPE_BYTES, follow=False)
    except InputError as error:
        return None, [Finding(False, error.code, str(error))]
    bundle, findings = open_checked(data, trust, now_ms, name)
    if bundle is None or any(finding.ok is False for finding in findings):
        return None, findings
    if f"{bundle.type}.json" != name:
        return None, [*findings, Finding(False, "delivery.type", f"{name} holds a {bundle.type}")]
    return bundle, findings


def check_companions(
    folder: Path, delivery: Bundle, body: DeliveryBody, trust: Trust, now_ms: int
) -> tuple[frozenset[str], list[Finding]]:
    """The items that the feed takes back, and the findings on agreement, lease and feed: a delivery has all three."""
    agreement, findings = read_signed(folder, "agreement.json", trust, now_ms)
    if agreement is not None:
        try:
            signed = AgreementBody.from_bundle(agreement)
            digest = hash_file(folder / "agreement.json")
            findings.append(_agreement(agreement, signed, delivery, body, digest))
        except BadDocument as error:
            findings.append(Finding(False, error.code, f"agreement.json: {error}"))
    taken_back: frozenset[str] = frozenset()
    for name in ("lease.json", "feed.json"):
        bundle, more = read_signed(folder, name, trust, now_ms)
        findings += more
        if bundle is None:
            continue
        try:
            if bundle.type == "lease":
                findings.append(_lease(bundle, delivery))
            else:
                feed = FeedBody.from_json(bundle.body)
                listed, text = _taken_back(folder / FEED_ITEMS, feed, body.delivery)
                covers = _feed(bundle, feed, delivery, body, trust, now_ms)
                findings += [Finding(True, "document.list", text), *covers]
                if all(one.ok for one in covers):
                    taken_back = listed
        except (BadDocument, VerificationError) as error:
            findings.append(Finding(False, error.code, f"{name}: {error}"))
    return taken_back, findings


def _taken_back(path: Path, feed: FeedBody, delivery: str) -> tuple[frozenset[str], str]:
    """The delivery's items that a feed's list takes back, and what to tell of the list."""
    with signed_lines(path, feed.beside) as lines:
        found = frozenset(entry.item for entry in feed.read(lines) if entry.delivery == delivery)
    return found, f"{path.name} lists {feed.entries} items of the family's deliveries, all as signed"


def _agreement(
    agreement: Bundle, signed: AgreementBody, delivery: Bundle, body: DeliveryBody, digest: str | None
) -> Finding:
    ref = delivery.agreement
    same = ref is not None and ref == agreement.agreement and ref.id == agreement.id
    same = same and (agreement.sender, agreement.recipient) == (delivery.sender, delivery.recipient)
    # the countersigned file's digest is signed too: it must be that very file
    if same and signed.family == body.family and digest == body.agreement_digest:
        text = "agreement.json is the agreement that the delivery names, of its family, between the same two parties"
        return Finding(True, "delivery.agreement", text)
    text = "agreement.json is not the agreement that the delivery names, or of another family, or between others"
    return Finding(False, "delivery.agreement", text)


def _lease(bundle: Bundle, delivery: Bundle) -> Finding:
    lease = LeaseBody.from_json(bundle.body)
    covers = _same_parties(bundle, delivery) and lease.delivery == delivery.body["delivery"]
    text = f"covers this delivery, until {to_rfc3339(lease.ends_ms)}" if covers else "does not cover this delivery"
    return Finding(covers, "delivery.lease", f"lease.json {text}")


def _feed(
    bundle: Bundle, feed: FeedBody, delivery: Bundle, body: DeliveryBody, trust: Trust, now_ms: int
) -> tuple[Finding, ...]:
    """A feed speaks of all deliveries of an agreement family, and renews their leases."""
    deliveries = frozenset(feed.deliveries)
    covers = _same_parties(bundle, delivery) and body.delivery in deliveries and feed.family == body.family
    covers = covers and bundle.agreement is not None and bundle.agreement.id == feed.family
    wrong: list[str] = []
    for place, data in enumerate(feed.leases, 1):
        lease, findings = open_checked(data, trust, now_ms)
        if lease is None or any(one.ok is False for one in findings) or not _renews(lease, bundle, deliveries):
            wrong.append(f"feed.json: its lease {place} is not one of this library for a delivery of the feed")
    text = f"feed.json {'covers' if covers else 'does not cover'} this delivery and its family of agreements"
    renewed = f"the {len(feed.leases)} leases in feed.json are for deliveries that it covers"
    return (*several("delivery.feed_leases", wrong, renewed), Finding(covers, "delivery.feed", text))


def _renews(lease: Bundle, bundle: Bundle, deliveries: frozenset[str]) -> bool:
    if lease.type != "lease" or not _same_parties(lease, bundle):
        return False
    return LeaseBody.from_json(lease.body).delivery in deliveries


def _same_parties(bundle: Bundle, delivery: Bundle) -> bool:
    return (bundle.sender, bundle.recipient) == (delivery.sender, delivery.recipient)
