"""Recomputes a statement from itself: every quota, extra unit, clip and sum, with core alone.

The form of the body is documented in royalties/statement_body.py. A finding says which part was recomputed; the first
thing that does not hold in an allocation is named by it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fairframe.core.bundle import Bundle
from fairframe.core.errors import BadDocument, FairframeError
from fairframe.core.fields import Fields
from fairframe.core.money import MICRO, Currency
from fairframe.core.time import DAY_MS
from fairframe.verify.agreements import Terms, read_agreements
from fairframe.verify.allocation import allocation
from fairframe.verify.between import between, series
from fairframe.verify.deal import Deals, Remarks
from fairframe.verify.documents import open_checked
from fairframe.verify.kind import Finding, Kind, Target
from fairframe.verify.numbers import number
from fairframe.verify.payout_steps import payout
from fairframe.verify.told import Told
from fairframe.verify.trust import Trust

VERSION = 2
FORM = ("statement.version", "statement.parties", "statement.period")
"""After these the parts of a statement are not compared with each other."""


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a sealed statement: on its envelope, on the agreements given with it, then on what it says."""
    bundle, findings = open_checked(target.data or b"", trust, now_ms)
    if bundle is None:
        return findings
    findings += _ended(bundle)
    signed, given = read_agreements(target.agreements, trust, now_ms)
    others, beside = _others(target.statements, bundle, signed, trust, now_ms)
    findings += [*given, *beside]
    told = bundle.body, bundle.recipient, bundle.sender
    return [*findings, *check_body(*told, signed, others, bundle.issued_at_ms)]


def check_body(
    body: dict[str, Any],
    recipient: str,
    sender: str,
    signed: Mapping[str, Terms] | None = None,
    others: Sequence[Told] = (),
    issued_ms: int | None = None,
) -> list[Finding]:
    """Recompute a statement's body. recipient and sender: ids that the bundle names; signed: agreements by id; others:
    those of the same contributor, each recomputed already; issued_ms: when this one was signed."""
    try:
        findings = _check(Fields(body, "statement"), recipient, sender, signed or {})
        if any(one.code in FORM for one in findings):
            return findings
        told = [Told.of(body, issued_ms), *others]
        return [*findings, *between(told), *series(told), *_not_met(told, signed or {})]
    except FairframeError as error:
        return [Finding(False, "statement.form", str(error))]


def _not_met(told: Sequence[Told], signed: Mapping[str, Terms]) -> list[Finding]:
    """Agreements that were given, and of which nothing is told: what came in under them may have been left out."""
    met = {one["agreement"]["id"] for it in told for one in it.body["allocations"]}
    text = "which was given, does not occur: that nothing came in under it is the library's word"
    return [Finding(None, "statement.agreement", f"{name}, {text}") for name in sorted(set(signed) - met)]


def _others(
    given: Sequence[bytes], bundle: Bundle, signed: Mapping[str, Terms], trust: Trust, now_ms: int
) -> tuple[list[Told], list[Finding]]:
    """The bodies of other statements that were given, as far as they hold, and the findings on them."""
    held: list[Told] = []
    found: list[Finding] = []
    for place, data in enumerate(given, 1):
        where = f"statement {place}"
        other, findings = open_checked(data, trust, now_ms, where)
        found += findings
        if other is None or any(one.ok is False for one in findings):
            continue
        if other.type != bundle.type or other.sender != bundle.sender:
            what = f"a {other.type}, not a statement" if other.type != bundle.type else "of another library"
            found.append(Finding(False, "statement.series", f"{where} is {what}"))
            continue
        told = check_body(other.body, bundle.recipient, bundle.sender, signed, (), other.issued_at_ms)
        told += _ended(other)
        wrong = [Finding(False, one.code, f"{where}: {one.text}") for one in told if one.ok is False]
        if not wrong and other.body["currency"] != bundle.body.get("currency"):
            wrong = [Finding(False, "statement.series", f"{where} is in another currency")]
        found += wrong or [Finding(True, "statement.series", f"{where} was recomputed, and holds by itself")]
        held += [] if wrong else [Told.of(other.body, other.issued_at_ms)]
    return held, found


def _ended(bundle: Bundle) -> list[Finding]:
    """One is signed of time that is over: in what is to come, more may be booked. A sender's clock may be a day off."""
    try:
        until = Fields(Fields(bundle.body, "statement").value("period"), "statement.period").time_ms("to")
    except BadDocument:
        return []  # told as the body's form
    if until <= bundle.issued_at_ms + DAY_MS:
        return []
    return [Finding(False, "statement.period", "its period ends after it was issued: more may be booked in it")]


def _check(fields: Fields, recipient: str, sender: str, signed: Mapping[str, Terms]) -> list[Finding]:
    if fields.integer("version") != VERSION:
        return [Finding(False, "statement.version", f"this is not version {VERSION} of a statement: upgrade fairframe")]
    for name, prefix, wanted in (("contributor", "ctr", recipient), ("library", "pty", sender)):
        inner = fields.fields(name)
        if inner.id("id", prefix) != wanted:
            return [Finding(False, "statement.parties", f"the {name} is not the one whom the bundle names")]
        inner.text("name")
        inner.close()
    deals = Deals(sender, Currency(fields.text("currency")).code, signed)
    period = fields.fields("period")
    start, end = period.time_ms("from"), period.time_ms("to")
    period.close()
    findings: list[Finding] = []
    if end <= start:
        findings.append(Finding(False, "statement.period", "the period ends before it begins"))
    earned = adjusted = paid = withheld = 0

    def share(inner: Fields, remarks: Remarks) -> int:
        _within(inner, remarks, start, end)
        return allocation(inner, remarks, deals)

    def adjustment(inner: Fields, remarks: Remarks) -> int:
        _within(inner, remarks, start, end)
        return _adjustment(inner, remarks)

    def taken(inner: Fields, remarks: Remarks) -> int:
        nonlocal withheld
        net, kept = payout(inner, remarks, start, end)
        withheld += kept
        return net

    for value in fields.list("allocations"):
        inner = Fields(value, "statement.allocations")
        name = inner.id("allocation", "alc")
        earned += _part(inner, name, share, findings)
    for value in fields.list("adjustments"):
        inner = Fields(value, "statement.adjustments")
        adjusted += _part(inner, inner.id("transaction", "txn"), adjustment, findings)
    for value in fields.list("payouts"):
        inner = Fields(value, "statement.payouts")
        paid += _part(inner, inner.id("payout", "pay"), taken, findings)
    findings += _sums(fields, earned, adjusted, withheld * MICRO, paid * MICRO)
    findings += _bounds(fields, start)
    fields.close()
    return findings


def _within(fields: Fields, remarks: Remarks, start: int, end: int) -> None:
    if not start <= fields.time_ms("booked_at") < end:
        remarks.wrong.append("it lies outside the period")


def _part(fields: Fields, name: str, read: Callable[[Fields, Remarks], int], findings: list[Finding]) -> int:
    """Recompute one booking; add its findings and return its amount."""
    remarks = Remarks()
    amount = read(fields, remarks)
    fields.close()
    code = fields.where.rstrip("s")
    findings += [Finding(False, code, f"{name}: {text}") for text in remarks.wrong]
    findings += [Finding(None, code, f"{name}: {text}") for text in remarks.unseen]
    findings += [Finding(True, code, f"{name}: {text}") for text in remarks.good if not remarks.wrong]
    return amount


def _adjustment(fields: Fields, remarks: Remarks) -> int:
    kind, memo = fields.text("kind", max_chars=80), fields.text("memo")
    named = [name for name in ("event", "allocation") if fields.value(name) is not None]
    for name in named:
        fields.id(name, "rev" if name == "event" else "alc")
    if kind != "correction" or len(named) != 2:
        remarks.wrong.append(f"an adjustment takes back an event and its allocation, which {kind!r} does not name")
    else:
        remarks.unseen.append(f"that the event was booked by mistake, as it says: {memo}")
    return number(fields, "amount_micro", signed=True)


def _sums(fields: Fields, earned: int, adjusted: int, withheld: int, paid: int) -> list[Finding]:
    """Whether what the parts sum to is what is stated, and leads from the opening balance to the closing one."""
    amounts = ("opening", "earned", "adjusted", "withheld", "paid", "closing", "accrued", "carry")
    said = {name: number(fields, f"{name}_micro", signed=True) for name in amounts}
    payable = number(fields, "payable_minor", signed=True) * MICRO
    found = {
        "earned": earned,
        "adjusted": adjusted,
        "withheld": withheld,
        "paid": paid,
        "closing": said["opening"] + earned + adjusted - withheld - paid,
    }
    wrong = [f"{name}_micro says {said[name]}, but is {is_}" for name, is_ in found.items() if said[name] != is_]
    if said["accrued"] + payable + said["carry"] != said["closing"]:
        wrong.append("what is not released, payable and carried over do not sum to closing_micro")
    if wrong:
        return [Finding(False, "statement.sum", text) for text in wrong]
    text = "opening + earned + adjusted - withheld - paid = closing = not released + payable + carried over"
    return [Finding(True, "statement.sum", text)]


def _bounds(fields: Fields, start: int) -> list[Finding]:
    """What an opening balance and a rest can be at all."""
    wrong: list[Finding] = []
    if start <= 0 and fields.value("opening_micro") != "0":
        text = "the period begins before anything was booked, so the opening balance is zero"
        wrong.append(Finding(False, "statement.opening", text))
    if not 0 <= number(fields, "carry_micro", signed=True) < MICRO:
        wrong.append(Finding(False, "statement.carry", "what is carried over is not below a minor unit"))
    return wrong


STATEMENT = Kind(
    name="statement",
    matches=lambda target: target.type == "statement",
    check=check,
    cannot_show=(
        "that share, split basis and parties are those of a signed agreement that was not given (--agreement FILE)",
        "that the revenue is what the library received, and all that it received under these agreements",
        "that the own clips are all that were delivered or used, and their weights what was delivered or used of them",
        "that others in the pool were shown the same weights_root: compare it with theirs, or with the library's audit "
        "entry allocation.made, of which you can ask for a log proof",
        "that what an adjustment takes back was booked by mistake",
        "that the other contributors under weights_root exist, are as many as stated and weigh what was delivered or "
        "used: invented ones need an audit, in which the licensee's delivery has the same pseudonyms",
        "that extra_units and the cut-off are those of the whole split: at most one micro unit hangs on them",
        "that the opening balance is the closing one of a statement before that was not given (--statement FILE), and "
        "that a refund takes by the weights that an earlier statement tells",
    ),
)
