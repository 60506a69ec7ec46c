"""audit: what the tree holds, whose heads are held, signed proofs for others, and any signed document again."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.outputs import check_papers, check_writable, write_papers
from fairframe.cli.shell import AsJson, OutFile, emit, group, read_input, say, table, when, workspace, write_output
from fairframe.core.bundle import Head, read_payload
from fairframe.core.canonical import parse
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import NotFound
from fairframe.dataset.papers import Papers
from fairframe.platform import audit, bundles, log_proofs, trust
from fairframe.platform.tx import Tx
from fairframe.rights import agreements
from fairframe.verify.forms import LISTS

app = group("The audit tree, proofs of it, documents kept beside it.")


@app.command()
def acts(
    ctx: typer.Context,
    about: Annotated[str, typer.Option("--about", metavar="ID", help="Only entries on this subject.")] = "",
    last: Annotated[int, typer.Option("--last", min=1, max=10_000, help="How many, counted from the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List entries of the audit tree, newest first."""
    with workspace(ctx) as ws, ws.read() as tx:
        rows = log_proofs.acts(tx, about, last)
    data = [
        {"entry": r["seq"], "at_ms": r["recorded_at_ms"], "kind": r["kind"], "subject": r["subject"],
         "content": parse(r["body"]), "leaf_hash": r["leaf_hash"]} for r in rows
    ]  # fmt: skip
    shown = [[r["seq"], when(r["recorded_at_ms"]), r["kind"], r["subject"]] for r in rows]
    emit(data, as_json, lambda: table(["#entry", "recorded", "what", "on"], shown))


@app.command()
def heads(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show this tree's head, and those of others that are held here."""
    with workspace(ctx) as ws, ws.read() as tx:
        mine = audit.head(tx.conn)
        others = [(party, log_proofs.held(tx, party["public_id"])) for party in log_proofs.known(tx)]
    held = [
        {
            "party": one["public_id"],
            "name": one["name"],
            "heads": len(rows),
            "size": rows[-1]["tree_size"],
            "root": rows[-1]["root"],
            "document": rows[-1]["public_id"],
        }
        for one, rows in others
    ]
    data = {"own": {"size": mine.size, "root": mine.root}, "held": held}
    lines = [["this workspace", mine.size, mine.root, ""]]
    lines += [[one["name"], one["size"], one["root"], one["document"]] for one in held]
    emit(data, as_json, lambda: table(["whose", "#entries", "root", "came with"], lines))


@app.command()
def prove(
    ctx: typer.Context,
    output: OutFile,
    act: Annotated[int | None, typer.Argument(metavar="ENTRY", help="An entry's number (see: audit acts).")] = None,
    under: Annotated[
        str | None,
        typer.Option(metavar="SIZE|DOCUMENT", help="The head to prove it under; default: the tree as it is now."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="SIZE|DOCUMENT", help="Show that this head goes on from an older one."),
    ] = None,
    to: Annotated[str, typer.Option(metavar="PARTY", help="Whom it is for; default: anyone.")] = "",
) -> None:
    """Sign that an entry is in the tree, or that the tree only grew.

    A head is named by its size, or by a document of ours that the other side kept. The entry is shown as it was
    recorded: personal data in it stays a commitment. Anyone checks the proof with fairframe-verify.
    """
    with workspace(ctx) as ws:
        check_writable(output)
        with ws.write() as tx:
            newer, older = _head(tx, under), _head(tx, since)
            proof = log_proofs.make(tx, act=act, under=newer, since=older)
            envelope = log_proofs.issue(tx, proof, trust.find(tx, to)["public_id"] if to else "")
        write_output(output, envelope)
    what = [f"entry {proof.act.seq} ({proof.act.kind}) is in"] if proof.act else []
    what += [f"nothing but growth since {proof.older.size} entries led to"] if proof.older else []
    say(f"signed: {' and '.join(what)} the tree of {proof.head.size} entries, root {proof.head.root}")


@app.command()
def document(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="DOCUMENT", help="The id of a signed document that is kept here.")],
    output: OutFile,
) -> None:
    """Write a signed document that this workspace made or took.

    Whatever was signed here is kept: rulings, outcomes, agreements, feeds, statements. A list that belongs to it is
    written beside it, where it is kept too.
    """
    with workspace(ctx) as ws:
        with ws.read() as tx:
            row = bundles.find(tx, which)
            # of an agreement, the copy with both signatures where there is one
            signed = agreements.find(tx, which).signed if row["type"] == "agreement" else None
        envelope = signed or row["envelope"].encode()
        if row["type"] not in LISTS:
            write_output(check_writable(output), envelope)
            return
        listed = LISTS[row["type"]](read_payload(read_envelope(envelope).payload).body).beside
        if not ws.objects.exists(listed.digest):
            raise NotFound(
                f"the list of this {row['type']} is not kept here, only the document",
                code="document.list",
                where=which,
                remedy="Ask its sender for both files",
            )
        check_papers(output)
        write_papers(output, Papers(envelope, ws.objects.path(listed.digest)))


def _head(tx: Tx, named: str | None) -> Head | int | None:
    if named is None or named.isdecimal():
        return None if named is None else int(named)
    return log_proofs.head_of(tx, read_input(Path(named)))
