"""The signed documents beside a delivery: its agreement, and a lease and a feed if they are there."""

import os
from pathlib import Path

from fairframe.core.bundle import Bundle
from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.verify.documents import open_checked
from fairframe.verify.files import hash_file, read_limited
from fairframe.verify.kind import Finding
from fairframe.verify.trust import Trust

SIGNED = ("delivery.json", "agreement.json", "lease.json", "feed.json")


def read_signed(folder: Path, name: str, trust: Trust, now_ms: int) -> tuple[Bundle | None, list[Finding]]:
    """A sealed bundle of the folder, whose type is its file's name; None when it does not hold."""
    try:
        data = read_limited(folder / name, MAX_ENVELOPE_BYTES, follow=False)
    except InputError as error:
        return None, [Finding(False, error.code, str(error))]
    bundle, findings = open_checked(data, trust, now_ms, name)
    if bundle is None or not all(finding.ok for finding in findings):
        return None, findings
    if f"{bundle.type}.json" != name:
        return None, [*findings, Finding(False, "delivery.type", f"{name} holds a {bundle.type}")]
    return bundle, findings


def check_companions(folder: Path, delivery: Bundle, trust: Trust, now_ms: int) -> tuple[frozenset[str], list[Finding]]:
    """The items that the feed takes back, and the findings on agreement, lease and feed."""
    agreement, findings = read_signed(folder, "agreement.json", trust, now_ms)
    if agreement is not None:
        findings.append(_agreement(agreement, delivery, hash_file(folder / "agreement.json")))
    taken_back: frozenset[str] = frozenset()
    for name in ("lease.json", "feed.json"):
        if not os.path.lexists(folder / name):
            continue
        bundle, more = read_signed(folder, name, trust, now_ms)
        findings += more
        if bundle is None:
            continue
        try:
            covers = _covers(bundle, delivery)
            if covers and bundle.type == "feed":
                taken_back = _taken_back(bundle, delivery)
            text = f"{name} {'covers' if covers else 'does not cover'} this delivery"
            findings.append(Finding(covers, f"delivery.{bundle.type}", text))
        except BadDocument as error:
            findings.append(Finding(False, error.code, f"{name}: {error}"))
    return taken_back, findings


def _agreement(agreement: Bundle, delivery: Bundle, digest: str | None) -> Finding:
    named = delivery.agreement.id if delivery.agreement else None
    ids = (agreement.id, agreement.body.get("agreement"), agreement.body.get("id"))
    same_parties = {agreement.sender, agreement.recipient} == {delivery.sender, delivery.recipient}
    # a library may sign the digest of the countersigned file too; then it must be that very file
    same_file = delivery.body.get("agreement_digest", digest) == digest
    if named in ids and same_parties and same_file:
        text = "agreement.json is the agreement that the delivery names, between the same two parties"
        return Finding(True, "delivery.agreement", text)
    text = "agreement.json is not the agreement that the delivery names, or is between other parties"
    return Finding(False, "delivery.agreement", text)


def _covers(bundle: Bundle, delivery: Bundle) -> bool:
    """A lease names one delivery, a feed all of an agreement family. Both come from who signed the delivery."""
    body, wanted = Fields(bundle.body, f"{bundle.type}.body"), delivery.body["delivery"]
    same_parties = (bundle.sender, bundle.recipient) == (delivery.sender, delivery.recipient)
    if bundle.type == "feed":
        return same_parties and wanted in body.list("deliveries")
    return same_parties and wanted == body.id("delivery", "dlv")


def _taken_back(feed: Bundle, delivery: Bundle) -> frozenset[str]:
    entries = [Fields(entry, "feed.entries") for entry in Fields(feed.body, "feed.body").list("entries")]
    return frozenset(
        entry.id("item", "itm") for entry in entries if entry.id("delivery", "dlv") == delivery.body["delivery"]
    )
