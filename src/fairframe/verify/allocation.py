"""Recomputes one allocation of a statement: the pool, everyone's split, the own quota and the split among clips."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairframe.core.apportion import hamilton, tie_key
from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.limits import LISTED_MAX
from fairframe.core.money import MICRO
from fairframe.core.rational import Share
from fairframe.core.split_basis import MOST_CHARS, SplitBasis
from fairframe.verify.agreements import Terms


@dataclass
class Remarks:
    """What there is to say of one booking: `wrong` fails, `good` was recomputed, `unseen` cannot be looked at here."""

    wrong: list[str] = field(default_factory=list[str])
    good: list[str] = field(default_factory=list[str])
    unseen: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Deals:
    """The agreements that were given to compare with, by id, and what the statement says once for all its deals."""

    library: str
    currency: str
    signed: Mapping[str, Terms]


def allocation(fields: Fields, remarks: Remarks, room: int, deals: Deals) -> tuple[int, int]:
    """The own part in micro units and the number of weights listed; what there is to say goes to `remarks`.

    room: how many weights the statement may still list; where all contributors fit, they have to be listed.
    deals: what the share, the split basis and the parties are compared with, where it was given.
    Raises BadDocument or InputError where the form is not that of royalties/statement_body.py.
    """
    wrong, notes = remarks.wrong, remarks.good
    fields.text("transaction", max_chars=40)
    share, basis = _agreement(fields.fields("agreement"), remarks, deals)
    net = _net(fields.fields("revenue"), wrong)
    pool, total = number(fields, "pool_micro"), number(fields, "weight_total", least=1)
    if pool != share.of(net * MICRO):
        wrong.append(f"the pool is not {share} of net receipts")
    if fields.text("method", max_chars=MOST_CHARS) != basis or str(SplitBasis.parse(basis)) != basis:
        wrong.append("the method is not the agreement's split basis")
    unit = fields.text("unit", max_chars=80)
    salt = bytes.fromhex(fields.hex("salt", digits=32))
    own = fields.fields("own")
    key, weight, amount = own.text("pseudonym", max_chars=40), number(own, "weight"), number(own, "amount_micro")
    listed = _weights(fields)
    count, extra_units, cutoff = (
        fields.integer("contributors", least=1),
        number(fields, "extra_units"),
        _cutoff(fields),
    )
    _quota(own, pool, total, salt, key, weight, amount, cutoff, wrong)
    if extra_units >= count or (extra_units == 0) != (cutoff is None):
        wrong.append("the extra units, their cut-off and the number of contributors do not go together")
    if listed is None and count <= room:
        wrong.append(f"the weights of {count} contributors are left out, though a statement lists up to {LISTED_MAX}")
    elif listed is None:
        remarks.unseen.append(
            f"{count} contributors share the pool, more than a statement lists: weight_total, and with it the own"
            " quota, is the library's word"
        )
    else:
        _everyone(listed, pool, total, salt, (key, weight, amount), count, extra_units, cutoff, wrong)
        notes.append(
            f"the split of the pool among all {count} contributors was recomputed: own part {amount} micro units"
        )
    clips = _assets(fields, salt, weight, amount, wrong)
    notes.append(f"{clips} clips of {weight} of {total} {unit} sum to the own part, each recomputed")
    return amount, len(listed or ())


def _agreement(fields: Fields, remarks: Remarks, deals: Deals) -> tuple[Share, str]:
    name, version = fields.id("id", "agr"), fields.integer("version", least=1)
    offer, purpose = fields.text("offer", max_chars=200), fields.text("purpose", max_chars=40)
    licensee = fields.fields("licensee")
    lab = licensee.text("id", max_chars=40)
    licensee.text("name", max_chars=200)
    licensee.close()
    share, basis = Share.parse(fields.text("share", max_chars=40)), fields.text("split_basis", max_chars=MOST_CHARS)
    fields.close()
    said = Terms(name, version, offer, purpose, deals.library, lab, share, basis, deals.currency)
    signed = deals.signed.get(name)
    if signed is None:
        text = f"that {name}, version {version}, agrees on a share of {share}, split by {basis}, is the library's word"
        remarks.unseen.append(f"{text}: compare it with the signed agreement (--agreement FILE)")
    elif wrong := signed.differing(said):
        remarks.wrong += [f"{name}: {text}" for text in wrong]
    else:
        remarks.good.append(
            f"{name}, version {version}, which both parties signed, says the same: {share} split by {basis}"
        )
    return share, basis


def _net(fields: Fields, wrong: list[str]) -> int:
    fields.id("event", "rev")
    fields.time_ms("received_at")
    gross, tax, net = (number(fields, f"{name}_minor") for name in ("gross", "tax", "net"))
    fields.close()
    if gross - tax != net:
        wrong.append("net receipts are not gross less tax")
    return net


def _quota(
    own: Fields,
    pool: int,
    total: int,
    salt: bytes,
    key: str,
    weight: int,
    amount: int,
    cutoff: tuple[int, str] | None,
    wrong: list[str],
) -> None:
    """The own quota: floor, remainder, tie key, and whether it is before the cut-off."""
    floor, remainder = number(own, "floor_micro"), number(own, "remainder")
    tie, extra = own.hex("tie_key"), own.boolean("extra")
    own.close()
    if weight > total or (floor, remainder) != divmod(pool * weight, total):
        wrong.append("floor and remainder are not pool * weight / weight_total")
    if tie != tie_key(salt, key).hex():
        wrong.append("the own tie key is not SHA-256 of salt and pseudonym")
    won = cutoff is not None and (-remainder, tie) <= (-cutoff[0], cutoff[1])
    if won != extra:
        wrong.append("the extra unit does not agree with the cut-off")
    if amount != floor + int(extra):
        wrong.append("the own part is not the floor and the extra unit")


def _everyone(
    listed: list[tuple[str, int]],
    pool: int,
    total: int,
    salt: bytes,
    own: tuple[str, int, int],
    count: int,
    extra_units: int,
    cutoff: tuple[int, str] | None,
    wrong: list[str],
) -> None:
    """Split the pool among all listed weights and compare."""
    key, weight, amount = own
    names, weights = [name for name, _ in listed], [one for _, one in listed]
    if names != sorted(set(names)) or len(names) != count or sum(weights) != total:
        wrong.append("the listed weights are not in order, each once, or do not sum to weight_total")
        return
    if (key, weight) not in listed:
        wrong.append("the own weight is not among those listed")
        return
    keys = [tie_key(salt, name) for name in names]
    parts = hamilton(pool, weights, keys)
    if parts[names.index(key)] != amount:
        wrong.append(f"the split gives {parts[names.index(key)]} micro units, not {amount}")
    won = [
        (-(pool * one % total), tie.hex())
        for one, tie, part in zip(weights, keys, parts, strict=True)
        if part > pool * one // total
    ]
    last = max(won) if won else None
    if len(won) != extra_units or (last and (-last[0], last[1])) != cutoff:
        wrong.append("the extra units or their cut-off are not those of the split")


def _assets(fields: Fields, salt: bytes, weight: int, amount: int, wrong: list[str]) -> int:
    """Recompute the split of the own part among clips; returns how many there are."""
    keys: list[str] = []
    weights: list[int] = []
    amounts: list[int] = []
    for value in fields.list("assets"):
        clip = Fields(value, "statement.allocations.assets")
        clip.id("asset", "ast")
        clip.text("filename")
        clip.text("title")
        keys.append(clip.text("pseudonym", max_chars=40))
        weights.append(number(clip, "weight"))
        amounts.append(number(clip, "amount_micro"))
        clip.close()
    if keys != sorted(set(keys)) or sum(weights) != weight:
        wrong.append("the clips are not in order, each once, or their weights do not sum to the own weight")
    elif weight == 0:
        if any(amounts):
            wrong.append("a clip without weight earned something")
    elif hamilton(amount, weights, [tie_key(salt, key) for key in keys]) != amounts:
        wrong.append("the clips' amounts are not the split of the own part")
    return len(keys)


def _weights(fields: Fields) -> list[tuple[str, int]] | None:
    if fields.value("weights") is None:
        return None
    listed: list[tuple[str, int]] = []
    for value in fields.list("weights"):
        if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
            raise BadDocument("A weight is not [pseudonym, weight]", code="document.field", where=fields.where)
        listed.append((value[0], _integer(value[1], fields.where)))
    return listed


def _cutoff(fields: Fields) -> tuple[int, str] | None:
    if fields.value("cutoff") is None:
        return None
    inner = fields.fields("cutoff")
    found = number(inner, "remainder"), inner.hex("tie_key")
    inner.close()
    return found


def number(fields: Fields, name: str, *, least: int = 0, signed: bool = False) -> int:
    """A field that holds a whole number as decimal text."""
    number = _integer(fields.value(name), f"{fields.where}.{name}", signed=signed)
    if not signed and number < least:
        raise BadDocument(f"Field {name!r} is below {least}", code="document.field", where=fields.where)
    return number


def _integer(value: Json, where: str, *, signed: bool = False) -> int:
    """A whole number in its one decimal spelling, at most 40 digits (pool times weight has up to 38)."""
    if isinstance(value, str) and len(value) <= 41:
        digits = value.removeprefix("-") if signed else value
        if digits.isascii() and digits.isdigit() and str(int(value)) == value:
            return int(value)
    raise BadDocument("An amount is not a whole decimal number", code="document.field", where=where)
