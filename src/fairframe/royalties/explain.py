"""How an amount came about, step by step, in words and numbers: from the revenue to each clip.

All of it is read from the body of a statement, so it explains what is signed, and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fairframe.core.errors import NotFound
from fairframe.core.money import MICRO, Currency
from fairframe.royalties.statement_amounts import Money, by_file, count, percent

TIE_DIGITS = 12


@dataclass(frozen=True)
class Explained:
    """One allocation: what it was of, the steps that led to the amount, and what each clip got of it."""

    allocation: str
    title: str
    steps: tuple[str, ...]
    clips: tuple[tuple[str, str, str], ...]
    amount_micro: str


def explain(body: Mapping[str, Any], *, agreement: str | None = None, model: str | None = None) -> list[Explained]:
    """The allocations of a statement's body under an agreement (its id) or of a model (its id or name).

    Raises NotFound where there is none.
    """
    chosen = [one for one in body["allocations"] if _is_of(one, agreement, model)]
    if not chosen:
        raise NotFound(
            f"nothing was allocated to {body['contributor']['name']} from {(agreement or model or '')[:80]!r}",
            code="explain.nothing",
            remedy="See: fairframe royalties statement CONTRIBUTOR",
        )
    money = Money(Currency(body["currency"]))
    return [_explained(one, money) for one in chosen]


def _is_of(one: Mapping[str, Any], agreement: str | None, model: str | None) -> bool:
    named = one["model"] and model in (one["model"]["checkpoint"], one["model"]["name"])
    return (agreement is None or one["agreement"]["id"] == agreement) and (model is None or bool(named))


def _explained(one: Mapping[str, Any], money: Money) -> Explained:
    steps = (*_revenue(one, money), *_pool(one, money), *_weights(one), *_quota(one, money), *_inside(one))
    clips = [
        (clip["title"] or clip["filename"], count(clip["weight"]), money.short(clip["amount_micro"]))
        for clip in by_file(one["assets"])
    ]
    licensee = one["agreement"]["licensee"]
    who = (
        f"model {one['model']['name'] or one['model']['checkpoint']}"
        if one["model"]
        else (licensee["name"] if licensee else "a licensee who is not named")
    )
    title = f"{who}, {one['agreement']['purpose']} license {one['agreement']['id']}"
    return Explained(one["allocation"], title, tuple(steps), tuple(clips), one["own"]["amount_micro"])


def _revenue(one: Mapping[str, Any], money: Money) -> Iterator[str]:
    revenue = one["revenue"]
    kind, day = revenue["kind"].replace("_", " "), revenue["effective_at"][:10]
    way = "went back" if revenue["of"] and _taken(one) else "came in"
    counted = f" for {count(revenue['quantity'])} of what it is charged by" if revenue["quantity"] else ""
    yield f"{money.minor_of(revenue['gross_minor'])} {way} on {day} ({kind}{counted}, {revenue['event']})."
    if revenue["tax_minor"] != "0":
        tax, net = money.minor_of(revenue["tax_minor"]), money.minor_of(revenue["net_minor"])
        yield f"{tax} of it is tax: net receipts are {net}."


def _pool(one: Mapping[str, Any], money: Money) -> Iterator[str]:
    deal, revenue = one["agreement"], one["revenue"]
    base = deal["base"].replace("_", " ")
    name = "gross_minor" if deal["base"] == "gross_receipts" else "net_minor"
    pool = money.exact(str(abs(int(one["pool_micro"]))))
    if _taken(one):
        of = revenue["of"]
        left = f"{money.minor_of(of['left_gross_minor'])} gross and {money.minor_of(of['left_tax_minor'])} tax"
        yield f"It is taken from {of['event']}, of which {left} were left."
        yield (
            f"The agreement gives contributors {deal['share']} of {base}: the pool of what was left before, less that"
            f" of what is left after, is {pool}: this is taken back."
        )
        yield f"It is taken from the same contributors by the same weights and salt as {one['weights_of']} gave it."
        return
    amount = money.minor(revenue[name])
    yield f"The agreement gives contributors {deal['share']} of {base}: {amount} × {deal['share']} = {pool}, the pool."


def _weights(one: Mapping[str, Any]) -> Iterator[str]:
    own = one["own"]
    yield f"The pool is split by {one['method']}; the unit is {one['unit']}."
    if one["scores"]:
        yield f"The scores are those of the file with SHA-256 {one['scores']['file_sha256']}."
    for run in one["model"]["runs"] if one["model"] else ():
        part = percent(run["part"], one["model"]["whole"])
        what = run["name"] or run["checkpoint"]
        usage = run["usage"] or "not told"
        yield (
            f"Of the model {part} stem from the training of {what}: {count(run['frames'])} frames, of these"
            f" {count(run['delivered_frames'])} delivered; its usage is {usage}."
        )
    for other in one["model"]["not_paid"] if one["model"] else ():
        part = percent(other["part"], one["model"]["whole"]) if other["part"] is not None else "an unknown part"
        yield f"{part} of it comes from outside ({other['kind']}): nobody here is paid for that."
    parts = " + ".join(count(clip["weight"]) for clip in by_file(one["assets"])[:12])
    more = f" + {len(one['assets']) - 12} more" if len(one["assets"]) > 12 else ""
    yield f"The own clips weigh {parts}{more} = {count(own['weight'])}."
    yield (
        f"All {count(one['contributors'])} contributors weigh {count(one['weight_total'])} together. A proof of"
        f" {len(own['proof'])} steps shows that {count(own['weight'])} is in it: root {one['weights_root'][:16]}..."
    )


def _quota(one: Mapping[str, Any], money: Money) -> Iterator[str]:
    own, cutoff = one["own"], one["cutoff"]
    pool = abs(int(one["pool_micro"]))
    yield (
        f"In {money.exact(1)} {money}: {count(pool)} × {count(own['weight'])} ÷ {count(one['weight_total'])} ="
        f" {count(own['floor_micro'])}, remainder {count(own['remainder'])}."
    )
    if cutoff is None:
        yield "All quotas are whole, so rounding leaves nothing."
    else:
        units = count(one["extra_units"])
        yield f"All floors together leave {units} × {money.exact(1)} {money}: they go to the largest remainders."
        line, gets = count(cutoff["remainder"]), "it gets one" if own["extra"] else "it gets none"
        if cutoff["tie_key"] is None:
            yield f"Remainders from {line} on get one. The own remainder is {count(own['remainder'])}: {gets}."
        else:
            yield (
                f"Remainders above {line} get one; of that very remainder, tie keys below"
                f" {cutoff['tie_key'][:TIE_DIGITS]}... do. The own remainder is {count(own['remainder'])} (tie key"
                f" {own['tie_key'][:TIE_DIGITS]}...): {gets}."
            )
    yield f"So the own part is {money.short(own['amount_micro'])}."


def _inside(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"It is split among the {len(one['assets'])} clips by their weights in the same way."


def _taken(one: Mapping[str, Any]) -> bool:
    return one["revenue"]["kind"] in ("refund", "chargeback")


def account(body: Mapping[str, Any]) -> str:
    """Where the contributor's money stands after all of the body, in one line."""
    money = Money(Currency(body["currency"]))
    parts = f"{money.short(body['accrued_micro'])} not released, {money.minor_of(body['payable_minor'])} payable"
    paid, withheld = int(body["paid_micro"]) // MICRO, int(body["withheld_micro"]) // MICRO
    gone = f"{money.minor_of(paid)} paid or on its way, {money.minor_of(withheld)} withheld as tax"
    return f"On the account: {parts}, {money.short(body['carry_micro'])} carried over; {gone}."
