"""After an upgrade: which checkpoints of the family the new agreement extends to, asset by asset.

A checkpoint is granted if rights.upgrade says so about every asset that its training consumed, its reported ancestors'
assets included. Otherwise it stays under the older agreement, and the reasons are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import InputError, Refused
from fairframe.core.grant_body import GrantBody
from fairframe.dataset.gate import close_behind
from fairframe.dataset.tables import item
from fairframe.generation.grants import TYPE
from fairframe.library.tables import asset
from fairframe.platform import bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements, facts, moment, upgrade
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import Decision, clear
from fairframe.rights.offers import Terms
from fairframe.training import registry, reported
from fairframe.training.happened import happen

SHOWN = 20
CHUNK = 500


@dataclass(frozen=True)
class Weighed:
    """What terms would do to a reported checkpoint. assets: how many it consumed. unknown: what is not known of that.

    `decided` is None where something is unknown: then it is not granted.
    """

    checkpoint: str
    name: str
    assets: int
    unknown: tuple[str, ...]
    decided: upgrade.Upgraded | None

    @property
    def granted(self) -> bool:
        return self.decided is not None and self.decided.granted

    @property
    def reasons(self) -> tuple[str, ...]:
        """What stands against the grant, line by line."""
        return self.unknown if self.decided is None else tuple(self.decided.reasons())


@dataclass(frozen=True)
class Upgraded:
    """A reported checkpoint and what the new agreement does to it: an envelope for the lab, or reasons against it."""

    checkpoint: str
    name: str
    agreement: str
    assets: int
    envelope: bytes | None
    reasons: tuple[str, ...]


def grant(tx: WriteTx, agreement_id: str) -> list[Upgraded]:
    """Library: decide every reported checkpoint of the family under an upgrade; sign grants, keep reasons.

    Called again, it returns the grants that were signed and decides the blocked ones anew. The lab takes the grants
    in the order given here. Raises NotFound, InputError (role), Refused (upgrade.none: it upgrades nothing;
    upgrade.inactive: it is not in force).
    """
    close_behind(tx)
    agreement = agreements.find(tx, agreement_id)
    if tx.ws.role != "library":
        raise InputError("only a library can grant", code="input.wrong_role", where=tx.ws.name)
    if agreement.upgrade_of is None:
        raise Refused(f"the agreement {agreement_id} upgrades no other", code="upgrade.none", where=agreement_id)
    if not agreement.active(bundles.trusted_now_ms(tx)):
        state = agreement.state(bundles.trusted_now_ms(tx))
        raise Refused(f"the agreement {agreement_id} is {state}", code="upgrade.inactive", where=agreement_id)
    checkpoints = _reported(tx, agreement, but=agreement_id)
    return [_decide(tx, agreement, row, checkpoints) for row in checkpoints.values()]


def preview(tx: Tx, agreement: Agreement, terms: Terms) -> list[Weighed]:
    """What an upgrade of an agreement to these terms would do to its family's checkpoints. Writes nothing."""
    checkpoints = _reported(tx, agreement)
    return [_weigh(tx, terms, None, row, checkpoints) for row in checkpoints.values()]


def _reported(tx: Tx, agreement: Agreement, but: str | None = None) -> dict[str, Row]:
    """weights hash -> checkpoint: what the lab reported under the family, less what it reported under `but`."""
    family = [one.public_id for one in agreements.listing(tx, agreement.family) if one.public_id != but]
    return {row["weights_hash"]: row for row in reported.current(tx, family) if row["party"] == agreement.lab}


def _weigh(tx: Tx, terms: Terms, until_ms: int | None, row: Row, known: Mapping[str, Row]) -> Weighed:
    assets, unknown = _consumed(tx, row, known)
    decided = None
    if not unknown:
        decisions = _decisions(tx, terms, until_ms, assets)
        decided = upgrade.decide(terms.upgrade_effect, decisions, decisions)
    return Weighed(_named(tx, row), row["name"], len(assets), tuple(unknown), decided)


def _decide(tx: WriteTx, agreement: Agreement, row: Row, known: Mapping[str, Row]) -> Upgraded:
    name = _named(tx, row)
    before = _signed_before(tx, agreement, row)
    if before is not None:
        return Upgraded(name, row["name"], agreement.public_id, 0, before, ())
    weighed = _weigh(tx, agreement.terms, agreement.ends_ms, row, known)
    if reasons := weighed.reasons:
        shown = [*reasons[:SHOWN], *([f"and {len(reasons) - SHOWN} more"] if len(reasons) > SHOWN else [])]
        text = "; ".join(shown)
        last = [e for e in registry.events(tx, row["id"]) if e["agreement"] == agreement.public_id]
        if not last or last[-1]["reason"] != text:
            happen(tx, row, "blocked", agreement=agreement.public_id, reason=text)
        return Upgraded(name, row["name"], agreement.public_id, weighed.assets, None, reasons)
    body = GrantBody(name, row["weights_hash"], agreement.public_id, agreement.family)
    envelope = bundles.issue(tx, TYPE, agreement.lab, body.to_json(), agreement.ref)
    happen(tx, row, "granted", agreement=agreement.public_id, document=_id_of(tx, envelope))
    return Upgraded(name, row["name"], agreement.public_id, weighed.assets, envelope, ())


def _named(tx: Tx, row: Row) -> str:
    """The lab's own id of a reported checkpoint: the newest report's bundle names it."""
    return str(registry.lineage_of(row).body["checkpoint"])


def _signed_before(tx: Tx, agreement: Agreement, row: Row) -> bytes | None:
    where = (document.c.type == TYPE) & (document.c.direction == "out") & (document.c.agreement == agreement.public_id)
    for found in tx.rows(sa.select(document.c.envelope).where(where).order_by(document.c.id)):
        envelope = str(found["envelope"]).encode()
        if _body_of(envelope).weights_hash == row["weights_hash"]:
            return envelope
    return None


def _body_of(envelope: bytes) -> GrantBody:
    from fairframe.core.bundle import read_payload
    from fairframe.core.dsse import read_envelope

    return GrantBody.from_json(read_payload(read_envelope(envelope).payload).body)


def _id_of(tx: Tx, envelope: bytes) -> str:
    from fairframe.core.canonical import sha256_hex

    return str(tx.scalar(sa.select(document.c.public_id).where(document.c.digest == sha256_hex(envelope))))


def _consumed(tx: Tx, row: Row, known: Mapping[str, Row]) -> tuple[dict[int, str], list[str]]:
    """asset id -> public id of all that a checkpoint and its ancestors consumed, and what is not known of that."""
    items: set[str] = set()
    reasons: list[str] = []
    waiting, seen = [row], {row["weights_hash"]}
    while waiting:
        current = waiting.pop()
        items |= {use["item"] for use in registry.usage_of(tx, current["id"]) if use["source"] != "house"}
        for one in registry.ancestors_of(tx, current["id"]):
            if one["kind"] != "checkpoint" or one["hash"] in seen:
                continue
            seen.add(one["hash"])
            if one["hash"] in known:
                waiting.append(known[one["hash"]])
            else:
                reasons.append(f"its ancestor {one['name']} was not reported")
    assets: dict[int, str] = {}
    found: set[str] = set()
    ordered = sorted(items)
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        joined = sa.select(item.c.public_id.label("item"), asset.c.id, asset.c.public_id.label("asset"))
        joined = joined.join(asset, asset.c.id == item.c.asset_id).where(item.c.public_id.in_(chunk))
        for one in tx.rows(joined):
            found.add(one["item"])
            assets[one["id"]] = one["asset"]
    if items - found:
        reasons.append(f"{len(items - found)} items that it consumed are not known here")
    return assets, reasons


def _decisions(tx: Tx, terms: Terms, until_ms: int | None, assets: Mapping[int, str]) -> dict[str, Decision]:
    when = moment.present(tx)
    views = facts.load(tx, assets, when)
    return {
        assets[key]: clear(view, terms, terms.purpose, when.at_ms, when.known_at_ms, until_ms=until_ms)
        for key, view in views.items()
    }
