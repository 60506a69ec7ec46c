"""Checks a log proof: an act is in its sender's audit tree, or that tree only grew since an older head, or both.

What it shows depends on the head: one that somebody else kept (--against) was not made up for the occasion.
"""

from contextlib import suppress

from fairframe.core.bundle import Bundle, Head
from fairframe.core.errors import BadDocument
from fairframe.core.log_proof_body import TYPE, LogProof
from fairframe.core.time import to_rfc3339
from fairframe.verify.documents import addressed, open_checked
from fairframe.verify.kind import Finding, Kind, Target
from fairframe.verify.trust import Trust


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a sealed log proof, and on the documents with older heads that are given beside it."""
    bundle, findings = open_checked(target.data or b"", trust, now_ms)
    if bundle is None or not all(one.ok for one in findings):
        return findings
    try:
        proof = LogProof.from_json(bundle.body)
    except BadDocument as error:
        return [*findings, Finding(False, error.code, str(error))]
    findings += [Finding(True, "document.body", "its body is well-formed"), *addressed(bundle, trust)]
    findings += [*_proved(proof), *_signed_at(bundle, proof)]
    for place, data in enumerate(target.against, 1):
        findings += _against(data, f"document {place}", bundle, trust, now_ms)
    return findings


def _proved(proof: LogProof) -> list[Finding]:
    found: list[Finding] = []
    tree = f"the tree of {proof.head.size} entries with the root {proof.head.root[:16]}..."
    if proof.act is not None:
        act, holds = proof.act, proof.includes()
        text = f"{act.kind} on {act.subject or 'nothing'}, recorded {to_rfc3339(act.at_ms)} by its owner's clock"
        is_in = "is in" if holds else "is not shown to be in"
        found.append(Finding(holds, "log.inclusion", f"entry {act.seq} ({text}) {is_in} {tree}"))
    if proof.older is not None:
        holds, older = proof.extends(), proof.older
        only = "only added to" if holds else "is not shown to have only added to"
        text = f"{tree} {only} that of {older.size} entries with the root {older.root[:16]}..."
        found.append(Finding(holds, "log.consistency", text))
    return found


def _signed_at(bundle: Bundle, proof: LogProof) -> list[Finding]:
    """The head that every document carries must not contradict the one that this document is about."""
    at = bundle.audit_head
    if at is None or at.size < proof.head.size:
        size = "no tree" if at is None else f"a tree of {at.size} entries"
        return [Finding(False, "log.head", f"it is signed over {size}, but speaks of {proof.head.size} entries")]
    if at.size == proof.head.size and at.root != proof.head.root:
        return [Finding(False, "log.head", f"it is signed over another tree of {at.size} entries than it speaks of")]
    return [Finding(True, "log.head", f"it was signed when the tree had {at.size} entries")]


def _against(data: bytes, where: str, bundle: Bundle, trust: Trust, now_ms: int) -> list[Finding]:
    """A document of the same sender, kept by somebody else: its head has to be one of the proof's."""
    kept, findings = open_checked(data, trust, now_ms, where)
    if kept is None or not all(one.ok for one in findings):
        return findings
    heads = _heads(kept) if kept.sender == bundle.sender else []
    if not heads:
        text = f"{where}: {kept.type} {kept.id} holds no head of the proof's sender"
        return [*findings, Finding(False, "log.foreign", text)]
    told = {one.size: one.root for one in _heads(bundle)}
    known = [one for one in heads if one.size in told]
    if not known:
        text = f"{where}: its head is of {heads[0].size} entries: ask for a proof that goes on from it"
        return [*findings, Finding(None, "log.held", text)]
    for one in known:
        if told[one.size] != one.root:
            text = f"{where}: {kept.type} {kept.id} was signed over another history of {one.size} entries: keep both"
            return [*findings, Finding(False, "log.split_view", text)]
    text = f"{where}: its head of {known[0].size} entries is of this very history"
    return [*findings, Finding(True, "log.held", text)]


def _heads(bundle: Bundle) -> list[Head]:
    """All heads of its sender's tree that a document signs."""
    heads = [bundle.audit_head]
    if bundle.type == TYPE:
        with suppress(BadDocument):
            proof = LogProof.from_json(bundle.body)
            heads += [proof.head, proof.older]
    return [one for one in heads if one is not None]


LOG_PROOF = Kind(
    name="log proof",
    matches=lambda target: target.type == TYPE,
    check=check,
    cannot_show=(
        "that its sender did not show another tree to somebody else: compare heads that others hold (--against)",
        "that what was recorded is true, or when it was recorded other than by its owner's clock",
        "what the tree holds beside the proved entry",
    ),
)
