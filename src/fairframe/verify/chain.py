"""From a film back to what a library delivered: every document signed, and each naming the next."""

from dataclasses import dataclass, replace

from fairframe.core.agreement_body import AgreementBody
from fairframe.core.bundle import Bundle
from fairframe.core.canonical import sha256_hex
from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.fields import Fields
from fairframe.core.grant_body import GrantBody
from fairframe.core.purpose import COVERED_BY
from fairframe.core.time import to_rfc3339
from fairframe.verify.documents import open_checked
from fairframe.verify.kind import Finding, several
from fairframe.verify.lineage import Lineage, read_lineage
from fairframe.verify.trust import Trust

NAMES = {
    "lineage": "lineage",
    "delivery": "delivery",
    "delivery_agreement": "agreement",
    "agreement": "agreement",
    "grant": "grant",
}

MOST = 1_000
"""Ancestors that a chain may hold."""


@dataclass(frozen=True)
class Said:
    """What a film's signed sidecar says of its origin. delivery, root: None for a model that consumed nothing itself.
    inner: it is told of an ancestor, by that one's own lineage."""

    checkpoint: str
    weights_hash: str
    lineage_digest: str
    delivery: str | None
    root: str | None
    agreement: str
    granted: str | None
    purpose: str
    lab: str
    made_ms: int
    inner: bool = False


@dataclass(frozen=True)
class Link:
    """The documents behind one checkpoint, as far as they hold."""

    texts: dict[str, str | None]
    opened: dict[str, Bundle]
    findings: list[Finding]
    lineage: Lineage | None

    @property
    def agreement(self) -> str:
        """The id of the agreement in it, or empty."""
        return self.opened["agreement"].id if "agreement" in self.opened else ""


def check_chain(said: Said, chain: Fields, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on the documents of a chain; one that is missing or does not hold ends what leans on it."""
    listed = chain.list("ancestors", max_items=MOST) if chain.has("ancestors") else []
    first = _open(chain, trust, now_ms)
    others = [_open(Fields(value, "film.chain.ancestors"), trust, now_ms) for value in listed]
    found = _check_link(said, first)
    for number, link in enumerate(others, 1):
        told = f"ancestor {number}" if link.lineage is None else f"ancestor {link.lineage.checkpoint}"
        checked = _check_link(_said_of(said, link), link)
        found += [Finding(one.ok, one.code, f"{told}: {one.text}") for one in checked]
    if said.delivery is None:
        same = said.agreement in {link.agreement for link in others}
        found.append(_told(same, "chain.agreement", "the agreement is", "the one of an ancestor"))
    return found if first.lineage is None else [*found, *_ancestors(first.lineage, others)]


def _ancestors(first: Lineage, others: list[Link]) -> list[Finding]:
    """Whether every checkpoint that a lineage here descends from has its own documents here."""
    lineages = [first, *(link.lineage for link in others if link.lineage is not None)]
    needs = {weights: name for one in lineages for weights, name in one.elsewhere.items()}
    proved = {one.weights_hash for one in lineages[1:]}
    lost = [name for weights, name in needs.items() if weights not in proved]
    unproved = [f"the ancestor {name} is a checkpoint, and its own chain is not here" for name in lost]
    text = "the lineage names no ancestor that needs a chain of its own"
    text = f"each of the {len(needs)} ancestors that are checkpoints has its chain here" if needs else text
    return several("chain.ancestors", unproved, text)


def _open(chain: Fields, trust: Trust, now_ms: int) -> Link:
    """Every document of a link, its lineage first: that says whether there is a delivery at all."""
    found: list[Finding] = []
    texts: dict[str, str | None] = {}
    opened: dict[str, Bundle] = {}
    lineage: Lineage | None = None
    for name, kind in NAMES.items():
        value = chain.value(name)
        texts[name] = value if isinstance(value, str) else None
        merged = lineage is not None and lineage.delivery is None
        if value is None and (merged or name in ("delivery_agreement", "grant")):
            continue
        bundle, findings = open_checked((texts[name] or "").encode(), trust, now_ms, name)
        found += findings
        if bundle is not None and bundle.type == kind and not any(finding.ok is False for finding in findings):
            opened[name] = bundle
            lineage = read_lineage(bundle.body) if name == "lineage" else lineage
        elif bundle is not None and bundle.type != kind:
            found.append(Finding(False, "chain.type", f"{name}: it is a {bundle.type}"))
    chain.close()
    return Link(texts, opened, found, lineage)


def _said_of(said: Said, link: Link) -> Said:
    """What an ancestor's documents have to hold to: its own lineage, and the film's purpose, lab and time."""
    if link.lineage is None:
        return replace(said, inner=True)
    grant = link.opened.get("grant")
    return replace(
        said,
        checkpoint=link.lineage.checkpoint,
        weights_hash=link.lineage.weights_hash,
        delivery=link.lineage.delivery,
        root=link.lineage.root,
        agreement=link.agreement,
        granted=None if grant is None else grant.id,
        inner=True,
    )


def _check_link(said: Said, link: Link) -> list[Finding]:
    opened = link.opened
    return [
        *link.findings,
        *_lineage(said, link),
        *_delivery(said, opened),
        *_agreement(said, opened),
        *(_grant(said, opened) if said.delivery is not None else _needless(opened)),
    ]


def _needless(opened: dict[str, Bundle]) -> list[Finding]:
    """What has no place beside the lineage of a model that consumed nothing itself."""
    more = sorted(opened.keys() - {"lineage"})
    return [Finding(False, "chain.delivery", f"a {name} stands beside a model without a delivery") for name in more]


def _lineage(said: Said, link: Link) -> list[Finding]:
    text, lineage, body = link.texts["lineage"], link.opened.get("lineage"), link.lineage
    found: list[Finding] = []
    if not said.inner:
        same = text is not None and sha256_hex(text.encode()) == said.lineage_digest
        signed = "the one whose SHA-256 the film's sidecar signs"
        found.append(_told(same, "chain.lineage_digest", "the lineage is", signed))
    if lineage is None or body is None:
        return found
    same = (body.checkpoint, body.weights_hash, lineage.sender) == (said.checkpoint, said.weights_hash, said.lab)
    text = "the checkpoint and weights that the film names"
    found.append(_told(same, "chain.lineage", "the lineage is that lab's, and of", text))
    same = (body.delivery, body.root) == (said.delivery, said.root)
    text = f"the delivery {said.delivery} and its root" if said.delivery else "no delivery, as the film says"
    found.append(_told(same, "chain.trained_on", "the lineage names", text))
    return [*found, *(Finding(one.ok, one.code, f"lineage: {one.text}") for one in body.findings)]


def _delivery(said: Said, opened: dict[str, Bundle]) -> list[Finding]:
    delivery = opened.get("delivery")
    if delivery is None:
        return []
    body = DeliveryBody.from_json(delivery.body)
    same = (body.delivery, body.root, delivery.recipient) == (said.delivery, said.root, said.lab)
    text = "the delivery whose root the film names, made to this lab"
    found = [_told(same, "chain.delivery", "the delivery is", text)]
    under = opened.get("delivery_agreement") or opened.get("agreement")
    if under is not None:
        AgreementBody.from_bundle(under)
        same = delivery.agreement is not None and delivery.agreement.id == under.id
        same = same and (under.sender, under.recipient) == (delivery.sender, delivery.recipient)
        text = "the agreement in the chain, between the same two parties"
        found.append(_told(same, "chain.delivered_under", "it was delivered under", text))
    return found


def _agreement(said: Said, opened: dict[str, Bundle]) -> list[Finding]:
    agreement = opened.get("agreement")
    if agreement is None:
        return []
    body = AgreementBody.from_bundle(agreement)
    covers = body.purpose in COVERED_BY[said.purpose] and (said.purpose != "commercial" or body.commercial_output)
    within = body.starts_ms <= said.made_ms < body.ends_ms
    when = f"on {to_rfc3339(said.made_ms)}"
    delivery = opened.get("delivery")
    library = agreement.sender if delivery is None else delivery.sender
    same = (agreement.id, agreement.sender, agreement.recipient) == (said.agreement, library, said.lab)
    found = [
        _told(same, "chain.agreement", "the agreement is", "the one that the film names, between these two parties"),
        _told(covers, "chain.purpose", f"an agreement for {body.purpose} covers", said.purpose),
        _told(within, "chain.term", "the film was made", f"within the agreement's term, {when}"),
    ]
    names = [name for name in ("lineage", "delivery", "delivery_agreement", "grant") if name in opened]
    differing = [name for name in names if opened[name].body.get("family") != body.family]
    text = "the family of the agreement"
    return [*found, _told(not differing, "chain.family", f"{', '.join(names)}: of", text)]


def _grant(said: Said, opened: dict[str, Bundle]) -> list[Finding]:
    grant, delivery = opened.get("grant"), opened.get("delivery")
    if grant is None:
        needless = said.granted is None and "delivery_agreement" not in opened
        text = "is needed: the delivery's own agreement covers the film" if needless else "holds, and one is needed"
        return [Finding(needless, "chain.grant", f"no grant {text}")]
    body = GrantBody.from_json(grant.body)
    named = (grant.id, body.checkpoint, body.weights_hash, body.agreement)
    same = named == (said.granted, said.checkpoint, said.weights_hash, said.agreement)
    parties = delivery is None or (grant.sender, grant.recipient) == (delivery.sender, delivery.recipient)
    text = "extends the agreement to this checkpoint and these weights"
    return [_told(same and parties, "chain.grant", "the library's grant", text)]


def _told(ok: bool, code: str, what: str, text: str) -> Finding:
    return Finding(ok, code, f"{what}{'' if ok else ' not'} {text}")
