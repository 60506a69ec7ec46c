"""What a checkpoint of this workspace may be used for, asked of its tables (the rule: permission_rule.py).

A lab asks about its own checkpoints before it trains upon them, merges them, makes films or releases weights; a library
may ask about those that were reported to it. Time is the later of the clock and the latest signed time seen.
"""

from dataclasses import dataclass

from fairframe.core.ancestors import BASE
from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.core.territory import Territory
from fairframe.dataset import feeds, revocation
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement
from fairframe.training import externals, registry
from fairframe.training.happened import deleted
from fairframe.training.permission_rule import (
    PURPOSES,
    USES,
    Answer,
    Asked,
    Elsewhere,
    Found,
    Right,
    Use,
    Used,
    Word,
    judge,
)

UPGRADE = (
    "Have the agreement upgraded (at the library: fairframe rights agree --offer commercial --upgrade-of AGREEMENT),"
    " then take the library's grant for this checkpoint"
)
WORDS: dict[Use, str] = {
    "generate": "used for {}",
    "serve": "served for {}",
    "fine_tune": "trained upon for {}",
    "merge": "merged for {}",
    "distill": "distilled for {}",
    "release_weights": "released for {}",
}
REMEDIES = (
    (frozenset({"guard.purpose", "guard.output"}), UPGRADE),
    (frozenset({"guard.feed_age"}), "Take the library's newest feed: fairframe rights refresh feed.json"),
    (frozenset({"guard.tenant"}), "Say whose use it is: --tenant AGREEMENT, one of that rights holder's own"),
    (frozenset({"guard.action", "guard.model_scope"}), "Ask the library for an agreement that grants it"),
    (
        frozenset({"guard.license_commercial", "guard.license_release"}),
        "Read the license, and say what it permits: fairframe model external add",
    ),
)
"""Codes, and what to do where there are no others."""


@dataclass(frozen=True)
class Under:
    """A checkpoint of the tree, the agreement that covers a use of it (None where it consumed nothing itself), and the
    grant that extended that (or None)."""

    checkpoint: str
    agreement: str | None
    grant: str | None


@dataclass(frozen=True)
class Permit:
    """A use that is permitted: under which agreement, by which grant (None: the agreement's own).

    `agreement` is the checkpoint's own or, for one that consumed nothing itself, its nearest ancestor's. under: the
    same for every checkpoint of the tree, nearest first.
    """

    use: Use
    purpose: str
    agreement: Agreement
    grant: str | None
    findings: tuple[Found, ...]
    under: tuple[Under, ...]
    territory: Territory
    ends_ms: int | None


@dataclass(frozen=True)
class Permissions:
    """Every answer about a checkpoint, for one tenant or none: each use for each purpose.

    used: it and its ancestors in this workspace; elsewhere: its other ancestors. Each with its role, nearest first.
    """

    checkpoint: str
    name: str
    used: tuple[Used, ...]
    elsewhere: tuple[Elsewhere, ...]
    answers: tuple[Answer, ...]

    def answer(self, use: Use, purpose: str) -> Answer:
        return next(one for one in self.answers if (one.asked.use, one.asked.purpose) == (use, purpose))


def permissions_of(tx: Tx, row: Row, *, tenant: str | None = None) -> Permissions:
    """What the checkpoint of a row may be used for. tenant: an agreement of the tenant for whom it would be used.

    Raises NotFound, InputError (input.tenant).
    """
    used, elsewhere = _tree(tx, row)
    family = tenant_of(tx, tenant)
    answers = tuple(judge(Asked(use, purpose, family), used, elsewhere) for use in USES for purpose in PURPOSES)
    return Permissions(row["public_id"], row["name"], used, elsewhere, answers)


def require(tx: Tx, row: Row, use: Use, purpose: str, *, tenant: str | None = None) -> Permit:
    """The permit to use the checkpoint of a row.

    Raises Refused (guard.refused, with every reason and the remedy), InputError for an unknown purpose or what is no
    tenant's agreement, NotFound.
    """
    if purpose not in PURPOSES:
        raise InputError(f"no purpose {purpose[:40]!r}", code="input.purpose", remedy=f"Say {', '.join(PURPOSES)}.")
    used, elsewhere = _tree(tx, row)
    asked = Asked(use, purpose, tenant_of(tx, tenant))
    answer = judge(asked, used, elsewhere)
    under = _under(answer, used)
    nearest = next((one for one in under if one.agreement is not None), None)
    if answer.ok and nearest is not None:
        return Permit(
            use=use,
            purpose=purpose,
            agreement=agreements.find(tx, str(nearest.agreement)),
            grant=nearest.grant,
            findings=answer.findings,
            under=under,
            territory=answer.territory,
            ends_ms=answer.ends_ms,
        )
    first = answer.against[0].text if answer.against else "no agreement covers any of its ancestors"
    raise Refused(
        f"the checkpoint {row['name']} may not be {WORDS[use].format(purpose)}: {first}",
        reasons=answer.reasons or [f"guard.no_agreement: {first}"],
        code="guard.refused",
        where=row["public_id"],
        remedy=_remedy({found.code for found in answer.against}),
    )


def _under(answer: Answer, used: tuple[Used, ...]) -> tuple[Under, ...]:
    both = zip(used, answer.by, strict=True)
    return tuple(Under(one.checkpoint, right and right.agreement, right and right.grant) for one, right in both)


def require_external(tx: Tx, row: Row, role: str, use: Use, purpose: str) -> None:
    """Raise Refused (guard.refused) where the declared license of a model from elsewhere does not permit a use."""
    one = Elsewhere("external", row["name"], row["license"], externals.DATA, role, row["commercial"], row["release"])
    answer = judge(Asked(use, purpose), (), (one,))
    if not answer.ok:
        raise Refused(
            f"the model {row['name']} may not be {WORDS[use].format(purpose)}: {answer.against[0].text}",
            reasons=answer.reasons,
            code="guard.refused",
            where=row["public_id"],
            remedy=_remedy({found.code for found in answer.against}),
        )


def tenant_of(tx: Tx, agreement: str | None) -> str:
    """The tenant whose agreement this is, as the rule names it (the family); empty for None.

    Raises NotFound, InputError (input.tenant) where the agreement's models are for no tenant.
    """
    if agreement is None:
        return ""
    found = agreements.find(tx, agreement)
    if found.terms.model_scope != "tenant":
        raise InputError(f"the models of {found.public_id} are for no tenant alone", code="input.tenant")
    return found.family


def _remedy(codes: set[str]) -> str:
    for among, text in REMEDIES:
        if codes and codes <= among:
            return text
    return "Train another checkpoint under an agreement in force"


def _tree(tx: Tx, row: Row) -> tuple[tuple[Used, ...], tuple[Elsewhere, ...]]:
    """The checkpoint and its ancestors that are known here, nearest first, and what else it descends from.

    Own checkpoints with the same weights stand for one another: each of them counts, with all that it descends from.
    """
    used: list[Used] = []
    elsewhere: dict[tuple[str, str, str, str], Elsewhere] = {}
    twins = registry.with_weights(tx, row["weights_hash"], row) if row["direction"] == "own" else []
    waiting = [(row, BASE), *((one, BASE) for one in twins if one["id"] != row["id"])]
    seen = {one["id"] for one, _ in waiting}
    while waiting:
        current, role = waiting.pop(0)
        used.append(_used(tx, current, role))
        for one in registry.ancestors_of(tx, current["id"]):
            as_what = one["role"] or BASE
            known = registry.with_weights(tx, one["hash"], current) if one["kind"] != "house" else []
            if not known:
                elsewhere[one["kind"], one["hash"], one["license"], as_what] = _elsewhere(tx, one, as_what)
            new = [other for other in known if other["id"] not in seen]
            seen |= {other["id"] for other in new}
            waiting += [(other, as_what) for other in new]
    return tuple(used), tuple(elsewhere.values())


def _elsewhere(tx: Tx, one: Row, role: str) -> Elsewhere:
    said = externals.by_hash(tx, one["hash"]) if one["kind"] == "external" else None
    commercial: Word = "unknown" if said is None else said["commercial"]
    release: Word = "unknown" if said is None else said["release"]
    return Elsewhere(one["kind"], one["name"], one["license"], one["data"], role, commercial, release, str(one["hash"]))


def _used(tx: Tx, row: Row, role: str) -> Used:
    events = registry.history(tx, row)
    rights: list[Right] = []
    if row["agreement"] is not None:
        rights.append(_right(tx, row, agreements.find(tx, row["agreement"]), None))
    for event in reversed(events):
        if event["kind"] == "granted" and event["agreement"] is not None:
            rights.append(_granted(tx, row, event))
    return Used(
        name=row["name"],
        rights=tuple(rights),
        deleted=deleted(events),
        consumed=row["frames_seen"] > 0,
        taken_back=_taken_back(tx, row),
        role=role,
        checkpoint=row["public_id"],
    )


def _taken_back(tx: Tx, row: Row) -> int:
    if row["delivery"] is None:
        return 0
    back = revocation.withdrawn(tx, _direction(row), row["delivery"])
    return len(back & {use["item"] for use in registry.usage_of(tx, row["id"])}) if back else 0


def _direction(row: Row) -> str:
    """On which side of a delivery the workspace is that holds a checkpoint: its own, or reported to it."""
    return "in" if row["direction"] == "own" else "out"


def _granted(tx: Tx, row: Row, event: Row) -> Right:
    try:
        return _right(tx, row, agreements.find(tx, event["agreement"]), event["document"])
    except NotFound:
        return Right(event["agreement"], "", frozenset(), "unknown here", grant=event["document"])


def _right(tx: Tx, row: Row, found: Agreement, grant: str | None) -> Right:
    terms = found.terms
    return Right(
        agreement=found.public_id,
        purpose=found.purpose,
        actions=frozenset(terms.actions),
        state=agreements.standing(tx, found),
        commercial_output=terms.commercial_output,
        model_scope=terms.model_scope,
        territory=Territory.parse(terms.territory),
        ends_ms=found.ends_ms,
        remedy=terms.opt_out_remedy,
        tenant=found.family if terms.model_scope == "tenant" else "",
        grant=grant,
        old_feed=_old_feed(tx, found) if row["delivery"] is not None and row["direction"] == "own" else "",
    )


def _old_feed(tx: Tx, agreement: Agreement) -> str:
    feed = feeds.latest(tx, agreement.family)
    if feed is None:
        return "no feed of its library was taken"
    old = bundles.trusted_now_ms(tx) - feed["issued_at_ms"] > agreement.terms.feed_age_ms
    return f"the feed is older than {agreement.terms.feed_age_days} days" if old else ""
