"""Whether a checkpoint may be used for a purpose.

| asked for  | an agreement for this purpose covers it                                          |
|------------|----------------------------------------------------------------------------------|
| evaluate   | evaluate, research, commercial                                                   |
| research   | research, commercial                                                             |
| commercial | commercial, if its terms allow commercial output                                 |

The agreement is the one that the checkpoint was trained under, or one that the library granted to it later. It must
be in force; time is the later of the clock and the latest signed time seen. A checkpoint that was deleted is not used.
An agreement whose remedy is withdraw covers none that consumed what a contributor took back. Only the feed tells that,
so under that remedy its age counts as for opening a delivery. Under the other remedies a finished checkpoint stays
whatever the feed says, so it is used without asking how old the feed is; an end by breach holds from the feed that
tells it. A grant never takes away what another agreement allows.
The same holds for every ancestor that is a checkpoint of this workspace. An ancestor from elsewhere is only noted.
"""

from dataclasses import dataclass, replace
from typing import Literal

from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.core.finding import Finding
from fairframe.core.purpose import COVERED_BY
from fairframe.dataset import feeds, revocation
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement
from fairframe.training import registry
from fairframe.training.happened import deleted
from fairframe.training.tables import checkpoint

EXTERNAL = "guard.ancestor_external"
"""The code of the note on an ancestor with an external license."""
PURPOSES = tuple(COVERED_BY)
UPGRADE = (
    "Have the agreement upgraded (at the library: fairframe rights agree --offer commercial --upgrade-of AGREEMENT),"
    " then take the library's grant for this checkpoint"
)


@dataclass(frozen=True)
class Right:
    """An agreement as far as it speaks of a checkpoint. `grant`: the document that extended it there, or None.

    Where its remedy is withdraw: taken_back counts the items that it asks to forget, and old_feed says why the feed
    cannot tell that. Under other remedies they are 0 and empty.
    """

    agreement: str
    purpose: str
    commercial_output: bool
    state: str
    grant: str | None = None
    taken_back: int = 0
    old_feed: str = ""


@dataclass(frozen=True)
class Used:
    """A checkpoint that a use would draw on."""

    name: str
    deleted: bool
    rights: tuple[Right, ...]


@dataclass(frozen=True)
class Elsewhere:
    """An ancestor that is no checkpoint of this workspace."""

    kind: Literal["checkpoint", "external", "house"]
    name: str
    license: str
    data: str


@dataclass(frozen=True)
class Permit:
    """A use that the guard lets through: under which agreement, by which grant (None: the agreement's own)."""

    purpose: str
    agreement: Agreement
    grant: str | None
    findings: tuple[Finding, ...]


def judge(purpose: str, used: tuple[Used, ...], elsewhere: tuple[Elsewhere, ...] = ()) -> list[Finding]:
    """Every finding on using checkpoints (the first is the one asked for, then its ancestors) for a purpose. Pure."""
    found = [check for one in used for check in _judge_one(purpose, one)]
    for one in elsewhere:
        if one.kind == "checkpoint":
            text = f"the ancestor {one.name} is a checkpoint that this workspace does not know"
            found.append(Finding(False, "guard.ancestor_unknown", text))
        elif one.kind == "external":
            text = f"the ancestor {one.name}: license external ({one.license}), data {one.data}"
            found.append(Finding(True, EXTERNAL, text))
        else:
            found.append(
                Finding(True, "guard.ancestor_house", f"the ancestor {one.name} was trained on rendered footage")
            )
    return found


def covering(purpose: str, rights: tuple[Right, ...]) -> Right | None:
    """The first of the rights, in their order, that covers a purpose now."""
    return next((right for right in rights if not _against(purpose, right)), None)


def permits(tx: Tx, row: Row, purpose: str) -> Permit:
    """The permit to use an own checkpoint's row for a purpose.

    Raises Refused (guard.refused, with every reason and the remedy), InputError for an unknown purpose.
    """
    if purpose not in PURPOSES:
        raise InputError(f"no purpose {purpose[:40]!r}", code="input.purpose", remedy=f"Say {', '.join(PURPOSES)}.")
    used, elsewhere = _lineage(tx, row)
    found = judge(purpose, used, elsewhere)
    against = [check for check in found if not check.ok]
    if against:
        raise Refused(
            f"the checkpoint {row['name']} may not be used for {purpose}: {against[0].text}",
            reasons=[f"{check.code}: {check.text}" for check in against],
            code="guard.refused",
            where=row["public_id"],
            remedy=_remedy({check.code for check in against}),
        )
    right = covering(purpose, used[0].rights)
    assert right is not None
    return Permit(purpose, agreements.find(tx, right.agreement), right.grant, tuple(found))


def _remedy(codes: set[str]) -> str:
    others = codes - {"guard.purpose", "guard.output"}
    if not others:
        return UPGRADE
    if others == {"guard.feed_age"}:
        return "Take the library's newest feed: fairframe rights refresh feed.json"
    return "Train another checkpoint under an agreement in force"


def _judge_one(purpose: str, one: Used) -> list[Finding]:
    found: list[Finding] = []
    if one.deleted:
        found.append(Finding(False, "guard.deleted", f"{one.name} was deleted"))
    right = covering(purpose, one.rights)
    if right is not None:
        by = f", by the grant {right.grant}" if right.grant else ""
        text = f"{one.name}: the agreement {right.agreement} ({right.purpose}) covers {purpose}{by}"
        return [*found, Finding(True, "guard.covered", text)]
    if not one.rights:
        return [*found, Finding(False, "guard.no_agreement", f"{one.name} was trained under no agreement")]
    return [
        *found,
        *(Finding(False, code, f"{one.name}: {text}") for r in one.rights for code, text in _against(purpose, r)),
    ]


def _against(purpose: str, right: Right) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if right.state != "active":
        found.append(("guard.inactive", f"the agreement {right.agreement} is {right.state}"))
    if right.purpose not in COVERED_BY[purpose]:
        found.append(("guard.purpose", f"the agreement {right.agreement} is for {right.purpose}, not {purpose}"))
    elif purpose == "commercial" and not right.commercial_output:
        found.append(("guard.output", f"the agreement {right.agreement} allows no commercial output"))
    if right.taken_back:
        what = f"it consumed {right.taken_back} items that were taken back"
        found.append(("guard.withdrawn", f"{what}, and the remedy of the agreement {right.agreement} is withdraw"))
    if right.old_feed:
        what = f"the remedy of the agreement {right.agreement} is withdraw: what was taken back since is unknown"
        found.append(("guard.feed_age", f"{right.old_feed}, and {what}"))
    return found


def _lineage(tx: Tx, row: Row) -> tuple[tuple[Used, ...], tuple[Elsewhere, ...]]:
    """The checkpoint and its own ancestors, nearest first, and what else it descends from."""
    used: list[Used] = []
    elsewhere: dict[tuple[str, str], Elsewhere] = {}
    waiting, seen = [row], {row["id"]}
    while waiting:
        current = waiting.pop(0)
        used.append(_used(tx, current))
        for one in registry.ancestors_of(tx, current["id"]):
            own = _own(tx, one["hash"]) if one["kind"] == "checkpoint" else None
            if own is None:
                elsewhere[one["kind"], one["hash"]] = Elsewhere(one["kind"], one["name"], one["license"], one["data"])
            elif own["id"] not in seen:
                seen.add(own["id"])
                waiting.append(own)
    return tuple(used), tuple(elsewhere.values())


def _own(tx: Tx, weights_hash: str) -> Row | None:
    where = (checkpoint.c.weights_hash == weights_hash) & (checkpoint.c.direction == "own")
    return tx.row(checkpoint.select().where(where).order_by(checkpoint.c.id.desc()))


def _used(tx: Tx, row: Row) -> Used:
    events = registry.events(tx, row["id"])
    rights: list[Right] = []
    if row["agreement"] is not None:
        rights.append(_right(tx, row, agreements.find(tx, row["agreement"]), None))
    for event in reversed(events):
        if event["kind"] == "granted" and event["agreement"] is not None:
            rights.append(_granted(tx, row, event))
    return Used(row["name"], deleted(events), tuple(rights))


def _granted(tx: Tx, row: Row, event: Row) -> Right:
    try:
        return _right(tx, row, agreements.find(tx, event["agreement"]), event["document"])
    except NotFound:
        return Right(event["agreement"], "", False, "unknown here", event["document"])


def _right(tx: Tx, row: Row, found: Agreement, grant: str | None) -> Right:
    right = Right(
        agreement=found.public_id,
        purpose=found.purpose,
        commercial_output=found.terms.commercial_output,
        state=agreements.standing(tx, found),
        grant=grant,
    )
    if row["delivery"] is None or found.terms.opt_out_remedy != "withdraw":
        return right
    back = revocation.withdrawn(tx, "in", row["delivery"])
    gone = len(back & {use["item"] for use in registry.usage_of(tx, row["id"])})
    return replace(right, taken_back=gone, old_feed=_old_feed(tx, found))


def _old_feed(tx: Tx, agreement: Agreement) -> str:
    feed = feeds.latest(tx, agreement.family)
    if feed is None:
        return "no feed of its library was taken"
    old = bundles.trusted_now_ms(tx) - feed["issued_at_ms"] > agreement.terms.feed_age_ms
    return f"the feed is older than {agreement.terms.feed_age_days} days" if old else ""
