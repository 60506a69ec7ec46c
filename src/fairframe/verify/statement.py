"""Recomputes a statement from itself: every quota, extra unit, clip and sum, with core alone.

The form of the body is documented in royalties/statement_body.py. A finding says which part was recomputed; the first
thing that does not hold in an allocation is named by it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fairframe.core.errors import FairframeError
from fairframe.core.fields import Fields
from fairframe.core.limits import LISTED_MAX
from fairframe.core.money import MICRO, Currency
from fairframe.verify.agreements import Terms, read_agreements
from fairframe.verify.allocation import Deals, Remarks, allocation, number
from fairframe.verify.documents import open_checked
from fairframe.verify.kind import Finding, Kind, Target
from fairframe.verify.trust import Trust


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
    earned = adjusted = paid = 0
    room = LISTED_MAX

    def share(inner: Fields, remarks: Remarks) -> int:
        nonlocal room
        amount, listed = allocation(inner, remarks, room, deals)
        room -= listed
        return amount

    for value in fields.list("allocations"):
        inner = Fields(value, "statement.allocations")
        name = inner.id("allocation", "alc")
        earned += _part(inner, name, start, end, share, findings)
    for value in fields.list("adjustments"):
        inner = Fields(value, "statement.adjustments")
        adjusted += _part(inner, inner.id("transaction", "txn"), start, end, _adjustment, findings)
    for value in fields.list("payouts"):
        inner = Fields(value, "statement.payouts")
        paid += _part(inner, inner.id("payout", "pay"), start, end, _payout, findings)
    findings += _sums(fields, earned, adjusted, paid)
    fields.close()
    return findings


def _part(
    fields: Fields,
    name: str,
    start: int,
    end: int,
    read: Callable[[Fields, Remarks], int],
    findings: list[Finding],
) -> int:
    """Recompute one booking; add its findings and return its amount in micro units."""
    remarks = Remarks()
    if not start <= fields.time_ms("booked_at") < end:
        remarks.wrong.append("it lies outside the period")
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


def _payout(fields: Fields, remarks: Remarks) -> int:
    fields.text("transaction", max_chars=40)
    remarks.unseen.append(f"paid, by the library's word, under the reference {fields.text('reference')}")
    return number(fields, "amount_minor") * MICRO


def _sums(fields: Fields, earned: int, adjusted: int, paid: int) -> list[Finding]:
    opening, closing = (number(fields, f"{name}_micro", signed=True) for name in ("opening", "closing"))
    stated = {
        "earned_micro": (number(fields, "earned_micro"), earned),
        "adjusted_micro": (number(fields, "adjusted_micro", signed=True), adjusted),
        "paid_micro": (number(fields, "paid_micro"), paid),
        "closing_micro": (closing, opening + earned + adjusted - paid),
        "payable_minor": (number(fields, "payable_minor"), max(closing, 0) // MICRO),
    }
    stated["carry_micro"] = (number(fields, "carry_micro", signed=True), closing - stated["payable_minor"][1] * MICRO)
    wrong = [f"{name} says {said}, but is {found}" for name, (said, found) in stated.items() if said != found]
    if wrong:
        return [Finding(False, "statement.sum", text) for text in wrong]
    return [Finding(True, "statement.sum", "opening + earned + adjusted - paid = closing = payable + carry")]


STATEMENT = Kind(
    name="statement",
    matches=lambda target: target.type == "statement",
    check=check,
    cannot_show=(
        "that share, split basis and parties are those of a signed agreement that was not given (--agreement FILE)",
        "that the revenue is what the library received, and all that it received under these agreements",
        "that the other contributors in the list exist, and that the weights are what was delivered or used: "
        "the licensee holds the same pseudonyms in its delivery, and an auditor can compare",
        "that the opening balance is the closing one of the statement before",
    ),
)
