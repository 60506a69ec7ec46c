"""What refunds and corrections say of what they take back, as far as that is in the statements that were given."""

from collections.abc import Mapping, Sequence
from typing import Any

from fairframe.core.time import DAY_MS, from_rfc3339
from fairframe.verify.deal import TAKEN
from fairframe.verify.kind import Finding

SAME = ("method", "unit", "scores", "salt", "weight_total", "contributors", "weights_root")
"""What a refund has of the allocation whose weights it takes."""


def refunds(parts: Mapping[str, Any], corrected: set[str]) -> list[Finding]:
    """Refunds against what they take from, as far as that is among the parts."""
    found: list[Finding] = []
    of_event = {one["revenue"]["event"]: one for one in parts.values()}
    taken: dict[str, list[Any]] = {}
    for one in parts.values():
        if one["revenue"]["kind"] not in TAKEN:
            continue
        taken.setdefault(one["revenue"]["of"]["event"], []).append(one)
        name, source = one["allocation"], parts.get(one["weights_of"])
        given = of_event.get(one["revenue"]["of"]["event"])
        if source is None and given is None:
            text = f"{name}: that its weights and salt are those of {one['weights_of']}: compare them"
            found.append(Finding(None, "statement.refund", text))
        elif source is not given or source is None:
            text = f"{name}: it takes from an event, but by the weights of another one's allocation"
            found.append(Finding(False, "statement.refund", text))
        else:
            found += _as_given(one, source)
    for event, refunds in taken.items():
        given = of_event.get(event)
        found += [Finding(False, "statement.refund", text) for text in _room(refunds, given, corrected)]
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


def _room(refunds: Sequence[Any], given: Mapping[str, Any] | None, corrected: set[str]) -> list[str]:
    """What is wrong with what refunds of one event say was left of it: at most the event, less what others took.

    One that was itself taken back took nothing from those after it. Of one that took nothing from the contributor it
    cannot be told, for what takes back nothing stands nowhere.
    """
    wrong: list[str] = []
    room = whole = max(map(_left, refunds)) if given is None else _amount(given)
    for one in sorted(refunds, key=_left, reverse=True):
        back = one["revenue"]["event"] in corrected or one["own"]["amount_micro"] == "0"
        said, most, of = _left(one), whole if back else room, one["revenue"]["of"]["event"]
        if said[0] > whole[0] or said[1] > whole[1]:
            wrong.append(f"{one['allocation']}: more is said to be left of {of} than it was")
        elif said[0] > most[0] or said[1] > most[1]:
            text = "more is said to be left than others took, none of which a statement that was given takes back"
            wrong.append(f"{one['allocation']}: of {of} {text}")
        if not back:
            (gross, tax), amount = map(min, said, room), _amount(one)
            room = gross - amount[0], tax - amount[1]
    return wrong


def _amount(one: Mapping[str, Any]) -> tuple[int, int]:
    """Gross and tax in minor units."""
    return int(one["revenue"]["gross_minor"]), int(one["revenue"]["tax_minor"])


def _left(one: Mapping[str, Any]) -> tuple[int, int]:
    """Of a refund: gross and tax that were left before it."""
    of = one["revenue"]["of"]
    return int(of["left_gross_minor"]), int(of["left_tax_minor"])


def corrections(parts: Mapping[str, Any], taken: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Each is the opposite of what its allocation brought, where that is among the parts."""
    found: list[Finding] = []
    of_event = {one["revenue"]["event"]: one for one in parts.values()}
    for one in taken:
        name, event = one["transaction"], one["event"]
        source = parts.get(one["allocation"]) or of_event.get(event)
        if source is None:
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
