"""What a lab deletes when clips are taken back, and how the library checks it: the clips, and models made from them.

| why clips of a delivery were taken back     | models that go with them                       |
|---------------------------------------------|------------------------------------------------|
| the agreement ended                         | all that were trained on the delivery          |
| its retention ended                         | none: finished checkpoints stay                |
| anything else, and the remedy is withdraw   | those that consumed one of these clips         |
| anything else                               | none: finished checkpoints stay                |

With a model go those that were made of its weights: trained upon it, merged from it, with it as an adapter or a frozen
encoder. What only learned from it (from a teacher's answers, a captioner's words) stays, and may no longer be used:
training/permission_rule.py.

The remedy is withdraw for a model where the agreement that it was trained under says so, or one that was granted to it,
and none of these that is in force says otherwise.

A half-done training of the delivery goes whole where models do: all once the agreement ended, and under withdraw any,
since nobody counted yet what it consumed. While its process runs nothing is attested: it would write its state again.

What shows frames of clips goes with the clips from every model and training that stays: the validation sheets, since a
sheet does not say whose frames it shows.

Both sides decide it alike, from the feed's entries and the usage: the lab over its own checkpoints, the library over
those that were reported to it.
"""

import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.attestation_body import MAX_WORDS, Attempt, Model
from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import InputError, IntegrityFailure, VerificationError
from fairframe.dataset import attest as attestations
from fairframe.dataset import attested
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import governing
from fairframe.dataset.papers import Papers
from fairframe.dataset.revocation import ENDED, last_entry, told, withdrawn
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform.runs import alone
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements
from fairframe.training import registry, reported
from fairframe.training.happened import deleted, happen
from fairframe.training.publishing import SESSION, drawn_on
from fairframe.training.tables import checkpoint

SHEETS = "validation"
"""Where training.session writes frames of held-out clips beside the model's, in a model's folder."""
REASON = "its clips were taken back"


def attest(tx: WriteTx, delivery: Row, attempts: Sequence[Attempt] = ()) -> Papers:
    """Lab: delete what is due of a received delivery, clips and models, and sign that it is gone.

    `attempts`: unlearning that the lab attempted on models that stay; it is the lab's word, and changes nothing here.

    Raises what dataset.attest.attest raises; IntegrityFailure (attest.not_deleted) for a model too; Conflict (run.live)
    where a training that has to go runs.
    """
    close_behind(tx)
    with ExitStack() as still:
        for name in due_trainings(tx, delivery):
            still.enter_context(alone(tx.ws, "train", name))
        return _attest(tx, delivery, attempts)


def attempt(tx: Tx, name: str, method: str, evaluation: str) -> Attempt:
    """What a lab says of one of its checkpoints. Raises NotFound, InputError (attest.words, attest.gone)."""
    row = registry.find(tx, name)
    if not (0 < len(method.strip()) <= MAX_WORDS and 0 < len(evaluation.strip()) <= MAX_WORDS):
        raise InputError(
            f"an attempt needs a method and an evaluation, {MAX_WORDS:,} characters each at most",
            code="attest.words",
            remedy="Say --method and --evaluation",
        )
    if deleted(registry.history(tx, row)):
        raise InputError("the model was deleted: nothing is left to unlearn", code="attest.gone", where=name)
    return Attempt(str(row["public_id"]), str(row["weights_hash"]), method.strip(), evaluation.strip())


def _attest(tx: WriteTx, delivery: Row, attempts: Sequence[Attempt]) -> Papers:
    models = due_models(tx, delivery, last_entry(tx, "in", delivery["family"]), tx.now_ms)
    named = [Model(str(one["public_id"]), str(one["weights_hash"])) for one in models]
    if both := {one.checkpoint for one in attempts} & {one.checkpoint for one in named}:
        raise InputError("the model is deleted by this attestation", code="attest.gone", where=both.pop())
    papers = attestations.attest(tx, delivery["public_id"], named, attempts)
    document = read_payload(read_envelope(papers.envelope).payload).id
    half_done = _half_done(tx, delivery["public_id"], frozenset(str(one["public_id"]) for one in models))
    for folder in [*(registry.folder_of(tx.ws, one) for one in _trained_on(tx, delivery)), *half_done]:
        _delete(folder / SHEETS)
    due = due_trainings(tx, delivery)
    for folder in half_done:
        if _name(folder) in due:
            _delete(folder)
    for one in models:
        _delete(registry.folder_of(tx.ws, one))
        happen(tx, one, "deleted", document=document, reason=REASON)
    return papers


def accept(tx: WriteTx, papers: Papers) -> attested.Attested:
    """Library: take a lab's attestation; every reported model that had to go must be named in it.

    Raises what dataset.attested.accept raises, and VerificationError (attest.model_missing).
    """
    done = attested.accept(tx, papers)
    if not done.new:
        return done
    where = (delivery_table.c.public_id == done.body.delivery) & (delivery_table.c.direction == "out")
    delivery = tx.row(delivery_table.select().where(where))
    assert delivery is not None
    models = due_models(tx, delivery, done.body.feed_entries, done.issued_at_ms)
    named = {one.weights_hash for one in done.body.models}
    if missing := [str(one["name"]) for one in models if one["weights_hash"] not in named]:
        raise VerificationError(
            f"{len(missing)} models that had to be deleted are not named: {', '.join(missing[:5])}",
            code="attest.model_missing",
            where=done.document,
        )
    for one in models:
        happen(tx, one, "deleted", document=done.document, reason=REASON)
    return done


def due_models(tx: Tx, delivery: Row, entries: int, at_ms: int) -> list[Row]:
    """Checkpoints that have to go by the table above at a time, as the feed told up to an entry; deleted ones left out.

    `at_ms`: when the lab signs that it deleted, so that both sides ask about the same moment.
    """
    about = (tx, delivery["direction"], delivery["public_id"], entries)
    ended, items = any(one["reason"] == ENDED for one in told(*about)), withdrawn(*about)
    go = [one for one in _trained_on(tx, delivery) if ended or _withdrawn(tx, one, items, at_ms)]
    return [one for one in [*go, *registry.made_of(tx, go)] if not deleted(registry.history(tx, one))]


def due_trainings(tx: Tx, delivery: Row) -> list[str]:
    """Names of the half-done trainings and merges that have to go by the table above: on a received delivery, or made
    of a model that goes."""
    about = (tx, "in", delivery["public_id"])
    withdraw = governing(tx, delivery["family"]).terms.opt_out_remedy == "withdraw"
    goes = any(one["reason"] == ENDED for one in told(*about)) or (withdraw and bool(withdrawn(*about)))
    models = due_models(tx, delivery, last_entry(tx, "in", delivery["family"]), tx.now_ms)
    due = _half_done(tx, delivery["public_id"]) if goes else []
    due += _half_done(tx, None, frozenset(str(one["public_id"]) for one in models)) if models else []
    return sorted({_name(folder) for folder in due})


def _name(folder: Path) -> str:
    """What a half-done training is called by."""
    return folder.name.removeprefix(".").removesuffix(".part")


def _delete(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise IntegrityFailure(f"{folder} could not be deleted", code="attest.not_deleted")


def _half_done(tx: Tx, delivery: str | None, of: frozenset[str] = frozenset()) -> list[Path]:
    """The folders of trainings on a delivery, or of models (ckp_ ids), that are not published; one that cannot be read
    may be of any."""
    found: list[Path] = []
    models = tx.ws.root / "models"
    rows = tx.rows(sa.select(checkpoint.c.folder).where(checkpoint.c.direction == "own"))
    published = {registry.folder_of(tx.ws, row) for row in rows}
    # one that was cut off just before its commit bears its name already; just after it, it is a checkpoint
    named = {session.parent for session in models.glob(f"*/{SESSION}")} - published
    for folder in {*models.glob(".*.part"), *named}:
        try:
            arguments = json.loads((folder / SESSION).read_text("utf-8"))["arguments"]
            of_it = arguments.get("dataset", "") == delivery or bool(drawn_on(arguments.get("recipe", {})) & of)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            of_it = True
        if of_it:
            found.append(folder)
    return found


def _trained_on(tx: Tx, delivery: Row) -> Sequence[Row]:
    """A lab's own checkpoints of a received delivery; a library's reported ones of a delivery that it made."""
    if delivery["direction"] == "in":
        where = (checkpoint.c.delivery == delivery["public_id"]) & (checkpoint.c.direction == "own")
        return tx.rows(checkpoint.select().where(where).order_by(checkpoint.c.id))
    family = [one.public_id for one in agreements.listing(tx, delivery["family"])]
    known = reported.current(tx, family)
    return [one for one in known if (one["delivery"], one["party"]) == (delivery["public_id"], delivery["party"])]


def _withdrawn(tx: Tx, row: Row, items: set[str], at_ms: int) -> bool:
    granted = (e["agreement"] for e in registry.history(tx, row) if e["kind"] == "granted" and e["agreement"])
    speak = [agreements.find(tx, one) for one in {row["agreement"], *granted}]
    withdraw = [one.terms.opt_out_remedy == "withdraw" for one in speak]
    stands = [one.active(at_ms) or agreements.standing(tx, one) == "active" for one in speak]
    if not any(withdraw) or any(here and not gone for here, gone in zip(stands, withdraw, strict=True)):
        return False
    return any(use["item"] in items for use in registry.usage_of(tx, row["id"]))
