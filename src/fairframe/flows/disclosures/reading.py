"""Reads every figure of a checkpoint in one transaction, under one head of the audit tree."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from fairframe.core.bundle import read_payload
from fairframe.core.canonical import sha256_hex
from fairframe.core.dsse import read_envelope
from fairframe.dataset.tables import delivery, obligation, obligation_event
from fairframe.flows.disclosures.figure import Behind, Evidence, Figure, Parameters, Question, answer
from fairframe.flows.disclosures.functions import FUNCTIONS, chain
from fairframe.flows.disclosures.statements import STATEMENTS
from fairframe.platform import audit
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements
from fairframe.training import registry

QUESTIONS: Mapping[str, Question] = {one.name: one for one in (*STATEMENTS, *FUNCTIONS)}


def read(tx: Tx, row: Row) -> dict[str, Figure]:
    """Every figure of an own checkpoint, by name, in the order in which they are asked."""
    parameters = Parameters(str(row["public_id"]), tx.now_ms)
    head = audit.head(tx.conn)
    answers = {name: answer(tx, question, parameters) for name, question in QUESTIONS.items()}
    feeds = answers["feeds"].value
    assert isinstance(feeds, list)
    behind = _behind(tx, chain(tx, parameters), [str(line[0]) for line in feeds], parameters.read_at_ms)
    found: dict[str, Figure] = {}
    for name, question in QUESTIONS.items():
        evidence = tuple(one for kind in question.behind for one in behind[kind])
        found[name] = Figure(question, answers[name].value, answers[name].rows, parameters, head, evidence)
    return found


def _behind(tx: Tx, rows: list[Row], feeds: list[str], read_at_ms: int) -> dict[Behind, tuple[Evidence, ...]]:
    """The signed documents of the chain, by type. `feeds`: ids of the newest ones."""
    events = [one for row in rows for one in registry.events(tx, row["id"]) if one["recorded_at_ms"] <= read_at_ms]
    grants = [one for one in events if one["kind"] == "granted"]
    named = sorted(({row["agreement"] for row in rows} | {one["agreement"] for one in grants}) - {None})
    signed = [agreements.find(tx, one) for one in named]
    taken = {row["delivery"] for row in rows} - {None}
    where = (delivery.c.direction == "in") & delivery.c.public_id.in_(taken)
    deliveries = tx.rows(delivery.select().where(where).order_by(delivery.c.id))
    attested = (
        sa.select(obligation_event.c.document)
        .join(obligation, obligation.c.id == obligation_event.c.obligation_id)
        .where(obligation.c.delivery.in_(taken), obligation.c.direction == "in")
        .where(obligation_event.c.recorded_at_ms <= read_at_ms)
    )
    return {
        "lineage": tuple(_sealed("lineage", str(row["lineage"]).encode()) for row in rows),
        "delivery": tuple(_sealed("delivery", str(one["envelope"]).encode()) for one in deliveries),
        "agreement": tuple(_sealed("agreement", one.signed or one.offered) for one in signed),
        "grant": _kept(tx, [str(one["document"]) for one in grants]),
        "feed": _kept(tx, feeds),
        "attestation": _kept(tx, {str(one["document"]) for one in tx.rows(attested)}),
    }


def _sealed(kind: str, envelope: bytes) -> Evidence:
    return Evidence(kind, read_payload(read_envelope(envelope).payload).id, sha256_hex(envelope))


def _kept(tx: Tx, ids: Iterable[str]) -> tuple[Evidence, ...]:
    """Documents that were sent or taken, by their ids."""
    rows = tx.rows(document.select().where(document.c.public_id.in_(set(ids))).order_by(document.c.id))
    return tuple(Evidence(row["type"], row["public_id"], row["digest"]) for row in rows)
