"""Recomputes one allocation of a statement: the pool, the own quota, the proof of the own weight, the clips."""

from fairframe.core import merkle_sum
from fairframe.core.apportion import hamilton, tie_key
from fairframe.core.cutoff import Cutoff
from fairframe.core.fields import Fields
from fairframe.verify.deal import Deals, Remarks, pool_of
from fairframe.verify.numbers import number


def allocation(fields: Fields, remarks: Remarks, deals: Deals) -> int:
    """The own part in micro units, below zero where it was taken back; what there is to say goes to `remarks`.

    deals: what the share, the split basis and the parties are compared with, where it was given.
    Raises BadDocument or InputError where the form is not that of royalties/statement_body.py.
    """
    wrong, notes = remarks.wrong, remarks.good
    fields.id("transaction", "txn")
    pool = pool_of(fields, remarks, deals)
    total, unit = number(fields, "weight_total", least=1), fields.text("unit", max_chars=80)
    salt = bytes.fromhex(fields.hex("salt", digits=32))
    count, root = fields.integer("contributors", least=1), fields.hex("weights_root")
    extra_units, cutoff = number(fields, "extra_units"), _cutoff(fields)
    own = fields.fields("own")
    key, weight = own.id("pseudonym", "psn"), number(own, "weight")
    _proof(own, key, weight, root, total, count, wrong)
    _rounding(extra_units, cutoff, count, total, wrong)
    amount = _quota(own, pool, total, salt, key, weight, cutoff, wrong)
    clips = _assets(fields, salt, weight, amount, wrong)
    notes.append(f"the own weight {weight} is counted in the total of {total} {unit}: its proof leads to weights_root")
    notes.append(f"the own part of {pool} micro units was recomputed: {amount}")
    notes.append(f"{clips} clips of {weight} of {total} {unit} sum to the own part, each recomputed")
    return amount


def _proof(own: Fields, key: str, weight: int, root: str, total: int, count: int, wrong: list[str]) -> None:
    """Whether the own weight is a leaf of the tree whose root is stated, in a tree of that many leaves."""
    proof = merkle_sum.read_proof(own.value("proof"))
    if not merkle_sum.verify(key, weight, proof, bytes.fromhex(root), total):
        wrong.append("the proof does not lead from the own weight to weights_root and weight_total")
    if len(proof) > (count - 1).bit_length() or (count > 1 and not proof):
        wrong.append(f"the proof is not of a tree of {count} contributors")


def _rounding(extra_units: int, cutoff: Cutoff | None, count: int, total: int, wrong: list[str]) -> None:
    if extra_units >= count or (extra_units == 0) != (cutoff is None):
        wrong.append("the extra units, their cut-off and the number of contributors do not go together")
    if cutoff is not None and not 0 < cutoff.remainder < total:
        wrong.append("the remainder of the cut-off is not between zero and weight_total")


def _quota(
    own: Fields,
    pool: int,
    total: int,
    salt: bytes,
    key: str,
    weight: int,
    cutoff: Cutoff | None,
    wrong: list[str],
) -> int:
    """The own quota: floor, remainder, tie key, and whether it passes the cut-off. Returns the stated amount."""
    floor, remainder = number(own, "floor_micro"), number(own, "remainder")
    tie, extra, amount = own.hex("tie_key"), own.boolean("extra"), number(own, "amount_micro", signed=True)
    own.close()
    if weight > total or (floor, remainder) != divmod(abs(pool) * weight, total):
        wrong.append("floor and remainder are not pool * weight / weight_total")
    if tie != tie_key(salt, key).hex():
        wrong.append("the own tie key is not SHA-256 of salt and pseudonym")
    won = cutoff is not None and cutoff.passed(remainder, tie)
    if won != extra:
        wrong.append("the extra unit does not agree with the cut-off")
    if amount != (floor + int(extra)) * (-1 if pool < 0 else 1):
        wrong.append("the own part is not the floor and the extra unit")
    return amount


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
        keys.append(clip.id("pseudonym", "psn"))
        weights.append(number(clip, "weight"))
        amounts.append(number(clip, "amount_micro", signed=True))
        clip.close()
    if keys != sorted(set(keys)) or sum(weights) != weight:
        wrong.append("the clips are not in order, each once, or their weights do not sum to the own weight")
    elif weight == 0:
        if any(amounts):
            wrong.append("a clip without weight earned something")
    else:
        sign = -1 if amount < 0 else 1
        parts = hamilton(abs(amount), weights, [tie_key(salt, key) for key in keys])
        if [sign * part for part in parts] != amounts:
            wrong.append("the clips' amounts are not the split of the own part")
    return len(keys)


def _cutoff(fields: Fields) -> Cutoff | None:
    if fields.value("cutoff") is None:
        return None
    inner = fields.fields("cutoff")
    tie = None if inner.value("tie_key") is None else inner.hex("tie_key")
    found = Cutoff(number(inner, "remainder"), tie)
    inner.close()
    return found
