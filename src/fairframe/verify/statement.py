"""Recomputes a statement from itself: every quota, extra unit, clip and sum, with core alone.

The form of the body is documented in royalties/statement_body.py. A finding says which part was recomputed; the first
thing that does not hold in an allocation is named by it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fairframe.core.errors import FairframeError
from fairframe.core.fields import Fields
from fairframe.core.money import MICRO, Currency
from fairframe.verify.agreements import Terms, read_agreements
from fairframe.verify.allocation import allocation
from fairframe.verify.deal import Deals, Remarks
from fairframe.verify.documents import open_checked
from fairframe.verify.kind import Finding, Kind, Target
from fairframe.verify.numbers import number
from fairframe.verify.payout_steps import payout
from fairframe.verify.trust import Trust

VERSION = 2


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a sealed statement: on its envelope, on the agreements given with it, then on what it says."""
    bundle, findings = open_checked(target.data or b"", trust, now_ms)
    if bundle is None:
        return findings
    signed, given = read_agreements(target.agreements, trust, now_ms)
    return [*findings, *given, *check_body(bundle.body, bundle.recipient, bundle.sender, signed)]


def check_body(
    body: dict[str, Any], recipient: str, sender: str, signed: Mapping[str, Terms] | None = None
) -> list[Finding]:
    """Recompute a statement's body. recipient and sender: ids that the bundle names; signed: agreements by id."""
    try:
        return _check(Fields(body, "statement"), recipient, sender, signed or {})
    except FairframeError as error:
        return [Finding(False, "statement.form", str(error))]


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
    remarks.unseen.append(f"adjustment: {kind}, taken as stated. {memo}".rstrip())
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


STATEMENT = Kind(
    name="statement",
    matches=lambda target: target.type == "statement",
    check=check,
    cannot_show=(
        "that share, split basis and parties are those of a signed agreement that was not given (--agreement FILE)",
        "that the revenue is what the library received, and all that it received under these agreements",
        "that the other contributors under weights_root exist and weigh what was delivered or used: the licensee holds "
        "the same pseudonyms in its delivery, and an auditor can compare",
        "that extra_units and the cut-off are those of the whole split: at most one micro unit hangs on them",
        "that the opening balance is the closing one of the statement before",
    ),
)
