"""rights: what passes between the parties under an agreement: feeds, attestations, grants."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.outputs import check_papers, check_writable, read_papers, write_papers
from fairframe.cli.shell import (
    AsJson,
    OutFile,
    confirm,
    emit,
    group,
    note,
    read_input,
    say,
    table,
    workspace,
    write_output,
)
from fairframe.dataset import feeds
from fairframe.dataset.attest import due_of
from fairframe.dataset.loader import find_delivery
from fairframe.dataset.revocation import last_entry
from fairframe.flows import deletion
from fairframe.flows.upgrade import grant as grant_checkpoints
from fairframe.generation import grants
from fairframe.rights import agreements

app = group("Feeds, attestations, grants.")


@app.command()
def feed(ctx: typer.Context, agreement: Annotated[str, typer.Argument(metavar="AGREEMENT")], output: OutFile) -> None:
    """Sign an agreement's revocation feed for the lab.

    Renewed leases are in it. All that may no longer be used, taken back by a contributor or no longer cleared, stands
    in a list beside it (feed.json: feed.items.jsonl): send both files.
    """
    with workspace(ctx, "library") as ws:
        check_papers(output)
        with ws.write() as tx:
            family = agreements.find(tx, agreement).family
            before = last_entry(tx, "out", family)
            # a hold, a revoked model release or a no that came into force since is in the feed too
            papers = feeds.issue(tx, agreement)
            more = last_entry(tx, "out", family) - before
        write_papers(output, papers)
    say("feed signed" + (f", {more} more items taken back" if more else ""))


@app.command()
def refresh(ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="FEED")], as_json: AsJson = False) -> None:
    """Take the library's newest feed (lab).

    Its list lies in the same folder.
    """
    papers = read_papers(file)
    with workspace(ctx, "lab") as ws, ws.write() as tx:
        done = feeds.refresh(tx, papers)
    what = f"{done.entries} clips taken back, {done.leases} leases renewed" if done.new else "known"
    emit(vars(done), as_json, lambda: say(f"feed {done.seq} of {done.family}: {what}"))


@app.command()
def attest(
    ctx: typer.Context,
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="Name or id.")],
    output: OutFile,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before deleting.")] = False,
    attempted: Annotated[str, typer.Option(metavar="MODEL", help="Unlearning was attempted on this model.")] = "",
    method: Annotated[str, typer.Option(help="--attempted: by what method.")] = "",
    evaluation: Annotated[str, typer.Option(help="--attempted: how it was evaluated, and what that gave.")] = "",
) -> None:
    """Delete what was taken back, and sign that it is done (lab).

    Models that were trained on it go too where the agreement says so. Without anything due: the last attestation. The
    items stand in a list beside it (attestation.json: attestation.items.jsonl): send both files. With --attempted it
    also says that unlearning was attempted on a model that stays: a statement, no deletion.
    """
    with workspace(ctx, "lab") as ws:
        with ws.read() as tx:
            tried = [deletion.attempt(tx, attempted, method, evaluation)] if attempted else []
            row = find_delivery(tx, delivery)
            due = due_of(tx, row)
            entries = last_entry(tx, "in", row["family"])
            models = [str(one["name"]) for one in deletion.due_models(tx, row, entries, tx.now_ms)]
            trainings = deletion.due_trainings(tx, row)
        what = f"{len(due.items)} clips of {delivery}" + (f" and the models {', '.join(models)}" if models else "")
        half_done = f", and what the trainings {', '.join(trainings)} have so far" if trainings else ""
        check_papers(output)
        if due.kept:
            note(f"{len(due.kept)} more clips stay: other deliveries hold the same bytes by right")
        if due.items or models or trainings:
            confirm(f"Delete {what}{half_done} for good?", yes)
        with ws.write() as tx:
            papers = deletion.attest(tx, row, tried)
        write_papers(output, papers)
    some = due.rows or models
    if tried:
        say(f"unlearning attempted on {attempted}: it says that, and no more")
        if not some:
            return
    say(f"attested the deletion of {what}" if some else "nothing new is due: the last attestation again")


@app.command("attested")
def attested(ctx: typer.Context, attestation: Annotated[Path, typer.Argument(metavar="ATTESTATION")]) -> None:
    """Take a lab's attestation (library).

    Its list lies in the same folder.
    """
    papers = read_papers(attestation)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        done = deletion.accept(tx, papers)
    kept = f", {done.kept} kept under other deliveries" if done.kept else ""
    say(f"{done.body.delivery}: {done.items} clips deleted{kept} ({done.late} late), {len(done.body.models)} models")
    for one in done.body.attempts:
        say(f"unlearning attempted on {one.checkpoint} by {one.method}; evaluated: {one.evaluation}")


@app.command()
def grant(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="The upgraded agreement.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the grants.")],
) -> None:
    """Sign grants for the checkpoints that an upgrade may cover.

    What blocks the others is told (exit code 1 then).
    """
    with workspace(ctx, "library") as ws:
        check_writable(output / "checkpoint.grant.json")
        with ws.write() as tx:
            found = grant_checkpoints(tx, agreement)
        for one in found:
            if one.envelope is not None:
                write_output(output / f"{one.checkpoint}.grant.json", one.envelope)
    table(
        ["checkpoint", "outcome", "why"],
        [
            (one.checkpoint, "granted" if one.envelope is not None else "blocked", "; ".join(one.reasons))
            for one in found
        ],
        empty="no checkpoint was reported under this agreement's family",
    )
    if any(one.envelope is None for one in found):
        raise typer.Exit(1)


@app.command("granted")
def granted(ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="GRANT")]) -> None:
    """Take the library's grant for a checkpoint (lab)."""
    data = read_input(file)
    with workspace(ctx, "lab") as ws, ws.write() as tx:
        done = grants.take(tx, data)
    say(f"granted: {done.name} may be used under {done.agreement}" + ("" if done.new else ", known"))
