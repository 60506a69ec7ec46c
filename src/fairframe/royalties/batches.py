"""Payout batches: whom one would pay and whom it leaves out; preparing it releases and reserves in one transaction.

A batch has a reference, which makes it happen once. Its payouts keep the account and the withholding rate that hold on
the day of payment, as far as that was known when it was prepared; before it is sent they are asked again.
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.canonical import digest
from fairframe.core.errors import Conflict, InputError, NotFound, Refused
from fairframe.core.ids import PREFIXES, is_id, new_id
from fairframe.core.money import Currency
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.library.tables import contributor
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger, payees, payout_terms
from fairframe.royalties.events import same_but_case, spelled
from fairframe.royalties.ledger import Leg
from fairframe.royalties.payees import NOBODY, Payee
from fairframe.royalties.payout_rules import Judged, Standing, judge, release_legs, withheld
from fairframe.royalties.payout_states import Parts, State, joined, move
from fairframe.royalties.payout_terms import NONE, Rate, Terms
from fairframe.royalties.rows import insert_rows
from fairframe.royalties.standings import RELEASE, standings
from fairframe.royalties.tables import payout, payout_batch, payout_event

AHEAD_DAYS = 366
"""How far ahead a bank can be asked to pay."""


@dataclass(frozen=True)
class Line:
    """One contributor in a plan. parts.payout is empty until it is prepared; parts is None for whoever is left out."""

    contributor: Row
    standing: Standing
    judged: Judged
    payee: Payee
    rate: Rate
    parts: Parts | None


@dataclass(frozen=True)
class Plan:
    """What prepare would do, or, where `batch` is not None, the batch that it has made under this reference.

    who: the one contributor whom it is about; None for all.
    """

    reference: str
    currency: str
    execution_ms: int
    by_hand: bool
    who: Row | None
    terms: Terms
    lines: tuple[Line, ...]
    batch: Row | None = None

    @property
    def paid(self) -> list[Line]:
        return [line for line in self.lines if line.parts is not None]

    @property
    def left_out(self) -> list[Line]:
        return [line for line in self.lines if line.parts is None and line.standing.total_micro]

    @property
    def content(self) -> str:
        """Hex SHA-256 of who gets what and what is released: what a person says yes to."""
        lines = [
            [
                line.contributor["public_id"],
                str(line.judged.release_micro),
                str(line.judged.gross_minor),
                str(line.payee.id),
                str(line.rate.share),
            ]
            for line in self.lines
        ]
        return digest([self.currency, self.execution_ms, lines])


def plan(
    tx: Tx,
    reference: str,
    currency: str,
    execution_ms: int | None = None,
    *,
    who: Row | None = None,
    by_hand: bool = False,
) -> Plan:
    """Judge every contributor with an account in the currency (or one). Changes nothing.

    execution_ms: a moment of the day of payment; today where None. Raises InputError (reference, currency, day),
    Conflict where the reference is that of another batch or payout, Refused where no policy was set for a batch.
    """
    Currency(currency)
    reference = check_reference(reference)
    known = _known(tx, reference, currency, execution_ms, by_hand)
    terms = payout_terms.terms(tx, currency)
    if known is not None:
        return Plan(reference, currency, known["execution_ms"], by_hand, who, terms, (), known)
    day = _day(tx, execution_ms)
    if terms.id is None and not by_hand:
        raise Refused(
            f"nobody has said what is asked before {currency} is paid out",
            code="payout.no_policy",
            remedy=f"Set it: fairframe royalties policy {currency} --threshold 50 --hold-days 14",
        )
    names = _contributors(tx, who)
    at_ms = paid_ms(tx, day)
    held = payees.when_paid(tx, at_ms, None if who is None else who["id"])
    withholding = payout_terms.rates(tx, at_ms)
    lines: list[Line] = []
    found = standings(tx, currency, terms.policy, who)
    for public_id in sorted(found, key=lambda key: (names[key]["name"], key)):
        row, standing = names[public_id], found[public_id]
        payee = held.get(row["id"], NOBODY)
        asked = payee.asked(at_ms, taxed=bool(withholding))
        judged = judge(standing, asked, terms.policy, by_hand=by_hand)
        rate = withholding.get(payee.country, NONE)
        gross = judged.gross_minor
        parts = Parts("", public_id, currency, gross, withheld(gross, rate.share)) if gross else None
        lines.append(Line(row, standing, judged, payee, rate, parts))
    return Plan(reference, currency, day, by_hand, who, terms, tuple(lines))


def prepare(tx: WriteTx, planned: Plan) -> Row:
    """Release and reserve what was planned, and return the batch; once per reference.

    Raises Conflict (payout.changed) where it would pay something else by now, Refused where nobody would be paid,
    and what plan raises.
    """
    ledger.lock(tx)
    asked = (planned.reference, planned.currency, planned.execution_ms)
    fresh = plan(tx, *asked, who=planned.who, by_hand=planned.by_hand)
    if fresh.batch is not None:
        return fresh.batch
    if fresh.content != planned.content:
        raise Conflict(
            "another amount would be paid now, or to another account, than was confirmed",
            code="payout.changed",
            where=planned.reference,
            remedy="Nothing was recorded: run it again and look at the amounts",
        )
    if not fresh.paid:
        raise Refused("nobody can be paid", code="payout.nothing", where=planned.reference, reasons=_reasons(fresh))
    return _write(tx, fresh)


def _write(tx: WriteTx, planned: Plan) -> Row:
    batch = new_id("pbt")
    values = {"reference": planned.reference, "currency": planned.currency, "execution_ms": planned.execution_ms}
    key = tx.insert(payout_batch, public_id=batch, by_hand=planned.by_hand, payout_policy_id=planned.terms.id, **values)
    legs = [leg for line in planned.lines for leg in _release(line, planned.currency)]
    if legs:
        ledger.post(tx, RELEASE, batch, legs, f"Released for {planned.reference}")
    parts: list[Parts] = []
    rows: list[tuple[object, ...]] = []
    for line in planned.paid:
        assert line.parts is not None
        made = Parts(new_id("pay"), *list(vars(line.parts).values())[1:])
        reference = planned.reference if planned.by_hand else made.payout
        amounts = (line.payee.id or None, line.rate.id, made.withheld_minor, tx.now_ms)
        head = (made.payout, line.contributor["id"], made.currency, made.gross_minor, reference, key)
        parts.append(made)
        rows.append((*head, *amounts))
    columns = ("public_id", "contributor_id", "currency", "amount_minor", "reference", "payout_batch_id")
    more = ("payee_id", "withholding_rate_id", "withheld_minor", "recorded_at_ms")
    insert_rows(tx, payout, (*columns, *more), rows)
    txn = ledger.post(tx, "payout", batch, joined(_reserved(parts)), f"Payout {planned.reference}")
    keys = tx.execute(sa.select(payout.c.id).where(payout.c.payout_batch_id == key).order_by(payout.c.id)).scalars()
    note(tx, list(keys), "reserved", txn)
    body = {"batch": batch, "reference": planned.reference, "currency": planned.currency, "payouts": len(parts)}
    body |= {"gross_minor": str(sum(one.gross_minor for one in parts)), "transaction": txn}
    tx.record("payout.reserved", batch, body | {"execution_at": to_rfc3339(planned.execution_ms)})
    return find(tx, batch)


def paid_ms(tx: Tx, execution_ms: int) -> int:
    """The time at which rates, forms and accounts are asked: the beginning of the day of payment, or now if later."""
    return max(execution_ms, tx.now_ms)


def note(tx: WriteTx, keys: list[int], state: State, txn: str, reason: str = "") -> None:
    """Write down that payouts came into a state by a transaction."""
    columns = ("payout_id", "state", "reason", "txn", "recorded_at_ms")
    insert_rows(tx, payout_event, columns, ((key, state, reason, txn, tx.now_ms) for key in keys))


def find(tx: Tx, reference_or_id: str) -> Row:
    """A batch by its id or reference. Raises NotFound."""
    columns = payout_batch.c
    where = (columns.public_id == reference_or_id) | columns.reference.in_(spelled(reference_or_id))
    row = tx.row(payout_batch.select().where(where)) if "\x00" not in reference_or_id else None
    if row is None:
        raise NotFound(
            f"no payout batch {reference_or_id[:80]!r}",
            code="payout.missing",
            remedy="See: fairframe royalties payout list",
        )
    return row


def check_reference(reference: str) -> str:
    """A reference as it is kept: in NFC (Unicode, UAX #15). Raises InputError, also for what looks like an id."""
    text = unicodedata.normalize("NFC", reference)
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise InputError("the reference is empty, too long or not printable", code="payout.reference")
    lower = text.strip().lower()
    if lower[:3] in PREFIXES and is_id(lower, lower[:3]):
        raise InputError(
            f"{text!r} looks like an id, and could be taken for another batch's",
            code="payout.reference",
            remedy="Give a reference of your own, such as 2026-Q2",
        )
    return text


def near(tx: Tx, reference: str) -> str | None:
    """The reference of a batch that differs only by case; None where there is none."""
    held = tx.execute(sa.select(payout_batch.c.reference).order_by(payout_batch.c.id)).scalars()
    text = check_reference(reference)
    return next((one for one in held if one != text and same_but_case(one) == same_but_case(text)), None)


def _reserved(parts: list[Parts]) -> list[Leg]:
    return [leg for one in parts for leg in move(one, None, "reserved")]


def _release(line: Line, currency: str) -> list[Leg]:
    return release_legs(line.contributor["public_id"], currency, line.judged.release_micro, line.standing.carry_micro)


def _reasons(planned: Plan) -> list[str]:
    counted = Counter(line.judged.reason for line in planned.left_out)
    return [f"{reason}: {count} contributors" for reason, count in sorted(counted.items())]


def _day(tx: Tx, execution_ms: int | None) -> int:
    today = tx.now_ms // DAY_MS * DAY_MS
    day = today if execution_ms is None else execution_ms // DAY_MS * DAY_MS
    if not today <= day <= today + AHEAD_DAYS * DAY_MS:
        raise InputError(f"the day of payment is past, or more than {AHEAD_DAYS} days ahead", code="payout.day")
    return day


def _known(tx: Tx, reference: str, currency: str, day_ms: int | None, by_hand: bool) -> Row | None:
    known = tx.row(payout_batch.select().where(payout_batch.c.reference.in_(spelled(reference))))
    if known is None:
        taken = tx.row(payout.select().where(payout.c.reference.in_(spelled(reference))))
        if taken is None:
            return None
        raise _conflict(reference, taken["public_id"])
    same = (currency, by_hand) == (known["currency"], bool(known["by_hand"]))
    on_it = by_hand or day_ms is None or day_ms // DAY_MS * DAY_MS == known["execution_ms"]
    if not (same and on_it):
        raise _conflict(reference, known["public_id"])
    return known


def _conflict(reference: str, where: str) -> Conflict:
    return Conflict(
        f"the reference {reference!r} is already that of another payout", code="payout.conflict", where=where
    )


def _contributors(tx: Tx, who: Row | None) -> dict[str, Row]:
    rows = [who] if who is not None else tx.rows(contributor.select())
    return {row["public_id"]: row for row in rows}
