"""init, trust: who this workspace is and whom it believes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli import keys
from fairframe.cli.shell import AsJson, confirm, emit, group, note, read_input, say, table, when, workspace
from fairframe.core.party import Party
from fairframe.flows.trust import Depends, depends_on
from fairframe.platform import identity, passphrases
from fairframe.platform import trust as trusted
from fairframe.platform.settings import Settings
from fairframe.platform.tables import party
from fairframe.platform.workspace import Role, Workspace, create_workspace

trust = group("Parties whose signatures this workspace believes.")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    role: Annotated[Role, typer.Option(help="library or lab.")],
    name: Annotated[str, typer.Option(help="The name that the other side sees.")],
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Ask for a passphrase for the private keys.")] = False,
) -> None:
    """Make a workspace.

    DIR gets a database, an object store, keys, and party.json for the other side. The private keys are encrypted
    with --encrypt, or where FAIRFRAME_PASSPHRASE or FAIRFRAME_PASSPHRASE_FILE is set; else they are not.
    """
    given = passphrases.given(Settings())
    secret = given or (keys.new_passphrase("FAIRFRAME_PASSPHRASE") if encrypt else None)
    ws = create_workspace(folder, role, name, passphrase=secret)
    ws.close()
    who = Party.from_envelope(read_input(folder / "party.json"))
    say(f"{role} {name} ({who.id}) in {folder}")
    say(f"fingerprint {who.fingerprint}")
    note(f"Give {folder / 'party.json'} to the other side, and read the fingerprint to them over another channel.")
    if ws.keys.encrypted:
        note("The private keys are encrypted: without the passphrase they are lost.")
    else:
        keys.tell_unencrypted(ws)


@trust.command("add")
def trust_add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The other side's party.json.")],
    fingerprint: Annotated[str, typer.Option(help="What they read to you; compared here.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="You compared the fingerprint yourself.")] = False,
) -> None:
    """Pin another party's keys after comparing its fingerprint.

    A pinned party's newer document is taken without, where a key that was pinned introduced its new one.
    """
    data = read_input(file)
    who = Party.from_envelope(data)
    say(f"{who.role} {who.name} ({who.id})")
    say(f"fingerprint {who.fingerprint}")
    with workspace(ctx) as ws:
        standing, why = _standing(ws, data, who)
        if standing == "other":
            say(
                f"Another document of this party is pinned here, and this one does not follow from it: {why}.",
                "bold red",
            )
        elif standing == "follows":
            note("a key that was pinned vouches for it")
        if fingerprint:
            if _plain(fingerprint) != _plain(who.fingerprint):
                say("The fingerprints differ: do not trust this file.", "bold red")
                raise typer.Exit(1)
        elif standing != "follows":
            confirm("Is this the fingerprint that they gave you over another channel?", yes)
        with ws.write() as tx:
            new = bool(identity.replace(tx, data)) if standing == "other" else identity.pin(tx, data)[1]
    say(
        {"follows": "its new keys are pinned", "other": "pinned anew"}.get(standing, "pinned")
        if new
        else "was pinned already"
    )


def _standing(ws: Workspace, data: bytes, who: Party) -> tuple[str, str]:
    """Whether a document is of a party that is "new" here, the "same", "follows" from the pinned one, or is "other"."""
    with ws.read() as tx:
        pinned = trusted.documents(tx, who.id).get(who.id)
        if pinned is None:
            return "new", ""
        if pinned.fingerprint == who.fingerprint:
            return "same", ""
        why = identity.objection(tx, data)
    return ("other", why) if why else ("follows", "")


@trust.command("remove")
def trust_remove(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(metavar="PARTY", help="Its id, fingerprint or name.")],
    reason: Annotated[str, typer.Option(help="Why; stays in this workspace.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what hangs on it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Believe a party no more: its new documents are refused. What was taken from it stays, as evidence."""
    with workspace(ctx) as ws:
        with ws.read() as tx:
            row = trusted.find(tx, who)
            found = depends_on(tx, row)
            gone = trusted.unpinned_ms(tx, row["public_id"])
        emit(found.to_json(), as_json, lambda: _render_depends(found))
        if dry_run:
            return
        if gone is None and not row["is_self"]:
            confirm(f"Believe {row['name']} no more?", yes)
        with ws.write() as tx:
            new = trusted.unpin(tx, row, reason)
    state = "is" if new else "was already"
    note(f"{row['name']} {state} no longer trusted; to believe it again: fairframe trust add FILE")


def _render_depends(found: Depends) -> None:
    say(f"{found.role} {found.name} ({found.party})")
    for line in found.words:
        say(f"  {line}")


@trust.command("list")
def trust_list(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Whom this workspace believes, and whom it no longer does."""
    with workspace(ctx) as ws, ws.read() as tx:
        gone = trusted.unpinned(tx)
        told = trusted.documents(tx)
        rows = [dict(r) for r in tx.rows(party.select().order_by(party.c.id))]
    keep = ("public_id", "role", "name", "is_self", "recorded_at_ms")
    data: list[dict[str, Any]] = [
        {k: r[k] for k in keep}
        | {"fingerprint": told[r["public_id"]].fingerprint, "version": told[r["public_id"]].version}
        | {"until_ms": gone.get(r["public_id"])}
        for r in rows
    ]
    emit(
        data,
        as_json,
        lambda: table(
            ["party", "role", "name", "since", "until", "fingerprint"],
            [
                (r["public_id"], r["role"], r["name"], when(r["recorded_at_ms"]), when(r["until_ms"]), r["fingerprint"])
                for r in data
            ],
        ),
    )


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
