"""What refunds and corrections say of what they take back, as far as that is in the statements that were given."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fairframe.core.time import DAY_MS, from_rfc3339
from fairframe.verify.deal import TAKEN
from fairframe.verify.kind import Finding
from fairframe.verify.told import Told, whole

SAME = ("method", "unit", "scores", "salt", "weight_total", "contributors", "weights_root")
"""What a refund has of the allocation whose weights it takes."""


def refunds(parts: Mapping[str, Any], corrected: set[str], told: Sequence[Told]) -> list[Finding]:
    """Refunds against what they take from, as far as that is among the parts. corrected: events taken back.

    told: the statements that the parts are of; what would stand in time that they tell of, and does not, is not so.
    """
    found: list[Finding] = []
    of_event = {one["revenue"]["event"]: one for one in parts.values()}
    taken: dict[str, list[Any]] = {}
    for one in parts.values():
        if one["revenue"]["kind"] not in TAKEN:
            continue
        taken.setdefault(one["revenue"]["of"]["event"], []).append(one)
        name, source = one["allocation"], parts.get(one["weights_of"])
        given = of_event.get(one["revenue"]["of"]["event"])
        if given is not None and given["revenue"]["kind"] in TAKEN:
            text = f"{name}: it takes from a {given['revenue']['kind']}, which only a correction takes back"
            found.append(Finding(False, "statement.refund", text))
        elif source is None and given is None and whole(told, 0, from_rfc3339(one["booked_at"]) + DAY_MS):
            text = f"{name}: it takes from {one['revenue']['of']['event']}, which never brought anything"
            found.append(Finding(False, "statement.refund", text))
        elif source is None and given is None:
            text = f"{name}: that its weights and salt are those of {one['weights_of']}: compare them"
            found.append(Finding(None, "statement.refund", text))
        elif source is not given or source is None:
            text = f"{name}: it takes from an event, but by the weights of another one's allocation"
            found.append(Finding(False, "statement.refund", text))
        else:
            found += _as_given(one, source)
    for event, refunds in taken.items():
        given = of_event.get(event)
        found += _room(refunds, given, corrected, told)
    return found


def _as_given(one: Mapping[str, Any], source: Mapping[str, Any]) -> list[Finding]:
    """Whether a refund takes by what its receipt gave by."""
    other = [key.replace("_", " ") for key in SAME if one[key] != source[key]]
    other += [key for key in ("pseudonym", "weight", "proof") if one["own"][key] != source["own"][key]]
    if one["agreement"]["id"] != source["agreement"]["id"]:
        other.append("agreement")
    if _model(one) != _model(source):
        other.append("model")
    if _clips(one) != _clips(source):
        other.append("clips")
    name, of = one["allocation"], source["allocation"]
    if other:
        return [Finding(False, "statement.refund", f"{name}: its {', '.join(other)} is not that of {of}")]
    return [Finding(True, "statement.refund", f"{name}: its weights and salt are those of {of}, from which it takes")]


def _model(one: Mapping[str, Any]) -> str:
    return str(one["model"]["checkpoint"]) if one["model"] else ""


def _clips(one: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(clip["asset"], clip["pseudonym"], clip["weight"]) for clip in one["assets"]]


def _room(
    refunds: Sequence[Any], given: Mapping[str, Any] | None, corrected: set[str], told: Sequence[Told]
) -> list[Finding]:
    """What is wrong with what refunds of one event say was left of it: at most the event, less what others took.

    One that was itself taken back took nothing from those after it. A correction is dated when it is booked: it can
    stand in a later period than the refund that it left room for, but in none after that one was signed. Of a refund
    that took nothing from the contributor it cannot be told, for what takes back nothing stands nowhere.
    """
    found: list[Finding] = []
    lefts = (max(values) for values in zip(*map(_left, refunds), strict=True))
    room = most = tuple(lefts) if given is None else _amount(given)
    others: list[Any] = []
    for one in sorted(refunds, key=_left, reverse=True):
        back = one["revenue"]["event"] in corrected or one["own"]["amount_micro"] == "0"
        said, of = _left(one), one["revenue"]["of"]["event"]
        if _beyond(said, most):
            text = f"{one['allocation']}: more is said to be left of {of} than it was"
            found.append(Finding(False, "statement.refund", text))
        elif not back and _beyond(said, room):
            text = f"{one['allocation']}: of {of} more is said to be left than others took"
            seen = _corrections_seen([one, *others], told)
            not_seen = ": that one of them was taken back stands in no statement here"
            text += ", none of which is taken back" if seen else not_seen
            found.append(Finding(False if seen else None, "statement.refund", text))
        if not back:
            room = _less(tuple(map(min, said, room)), _amount(one))
            others.append(one)
    return found


def _corrections_seen(refunds: Sequence[Mapping[str, Any]], told: Sequence[Told]) -> bool:
    """Whether a correction of one of these would stand in the statements, if it was booked before another of them."""
    booked = [from_rfc3339(one["booked_at"]) for one in refunds]
    return whole(told, min(booked), max(*booked, *(_signed(one, told) for one in refunds)) + 1)


def _signed(one: Mapping[str, Any], told: Sequence[Told]) -> int:
    """When an allocation was signed first: it, and what it rests on, was booked by then."""
    return min(it.issued_ms for it in told if any(x["allocation"] == one["allocation"] for x in it.body["allocations"]))


def _amount(one: Mapping[str, Any]) -> tuple[int, ...]:
    """Gross, tax and net in minor units."""
    return _amounts(one["revenue"]["gross_minor"], one["revenue"]["tax_minor"])


def _left(one: Mapping[str, Any]) -> tuple[int, ...]:
    """Of a refund: gross, tax and net that were left before it."""
    of = one["revenue"]["of"]
    return _amounts(of["left_gross_minor"], of["left_tax_minor"])


def _amounts(gross: str, tax: str) -> tuple[int, ...]:
    # the net is looked at, too: less tax that is left would be more to take from
    return int(gross), int(tax), int(gross) - int(tax)


def _beyond(said: Sequence[int], most: Sequence[int]) -> bool:
    return any(one > other for one, other in zip(said, most, strict=True))


def _less(room: Sequence[int], amount: Sequence[int]) -> tuple[int, ...]:
    return tuple(one - other for one, other in zip(room, amount, strict=True))


def corrections(parts: Mapping[str, Any], taken: Sequence[Mapping[str, Any]], told: Sequence[Told]) -> list[Finding]:
    """Each is the opposite of what its allocation brought, where that is among the parts; what took from it was taken
    back before it."""
    found: list[Finding] = [*_resting(parts, taken, told)]
    of_event = {one["revenue"]["event"]: one for one in parts.values()}
    for one in taken:
        name, event = one["transaction"], one["event"]
        source = parts.get(one["allocation"]) or of_event.get(event)
        if source is None and whole(told, 0, from_rfc3339(one["booked_at"]) + 1):
            text = f"{name}: it takes back {event}, which never brought anything"
            found.append(Finding(False, "statement.adjustment", text))
        elif source is None:
            found.append(Finding(None, "statement.adjustment", f"{name}: what {event} had brought, taken as stated"))
        elif source["allocation"] != one["allocation"] or source["revenue"]["event"] != event:
            text = f"{name}: the event and the allocation that it takes back do not belong together"
            found.append(Finding(False, "statement.adjustment", text))
        elif from_rfc3339(one["booked_at"]) + DAY_MS < from_rfc3339(source["booked_at"]):
            text = f"{name}: it is dated before what it takes back"
            found.append(Finding(False, "statement.adjustment", text))
        elif int(one["amount_micro"]) != -int(source["own"]["amount_micro"]):
            text = f"{name}: it is not the opposite of what {one['allocation']} brought"
            found.append(Finding(False, "statement.adjustment", text))
        else:
            text = f"{name}: it takes back what {one['allocation']} brought, to the unit"
            found.append(Finding(True, "statement.adjustment", text))
    return found


def _resting(parts: Mapping[str, Any], taken: Sequence[Mapping[str, Any]], told: Sequence[Told]) -> Iterator[Finding]:
    """Refunds of an event that was taken back whole, and were not taken back themselves: both would take from it."""
    back = {one["event"]: from_rfc3339(one["booked_at"]) for one in taken}
    for name, one in parts.items():
        if one["revenue"]["kind"] not in TAKEN or one["own"]["amount_micro"] == "0":
            continue
        event, of = one["revenue"]["event"], one["revenue"]["of"]["event"]
        if of not in back or event in back:
            continue
        booked = from_rfc3339(one["booked_at"])
        text = f"{name}: it takes from {of}, which was taken back whole"
        if whole(told, booked, max(booked, back[of]) + 1):
            yield Finding(False, "statement.adjustment", f"{text}, and was not taken back before that")
        else:
            yield Finding(
                None, "statement.adjustment", f"{text}: that it was taken back itself stands in no statement here"
            )
