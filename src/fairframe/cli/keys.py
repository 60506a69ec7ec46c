"""keys: the keyring of a workspace: list, rotate, revoke, encrypt."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.shell import AsJson, confirm, emit, group, moment_ms, note, say, table, when, workspace
from fairframe.core.errors import InputError
from fairframe.core.party import Party
from fairframe.platform import identity, passphrases, rotation
from fairframe.platform.workspace import Workspace

app = group("This workspace's private keys: rotate, revoke, encrypt.")

UNENCRYPTED = (
    "the private keys lie unencrypted in {folder}: whoever reads that folder can sign in your name. "
    "To encrypt them: fairframe --workspace {root} keys encrypt"
)
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_keys(ctx: typer.Context, as_json: AsJson = False) -> None:
    """What each key is for, when it counts, whether it is encrypted."""
    with workspace(ctx) as ws, ws.read() as tx:
        rows, encrypted = rotation.listing(tx), ws.keys.encrypted
        fingerprint = identity.own(tx).fingerprint
    data: dict[str, Any] = {
        "encrypted": encrypted,
        "fingerprint": fingerprint,
        "keys": [one.to_json() for one in rows],
    }

    def render() -> None:
        columns = ["role", "state", "from", "until", "private key", "key"]
        lines = [
            (r.role, r.state, when(r.valid_from_ms), when(r.ends_ms), "held" if r.private else "gone", r.keyid or "-")
            for r in rows
        ]
        table(columns, lines)
        say(f"encrypted at rest: {'yes' if encrypted else 'no'}")
        say(f"fingerprint {fingerprint}")

    emit(data, as_json, render)
    if any(one.role == "sign" and one.private and one.state != "signing" for one in rows):
        note("a key that signs no more is still held: its rotation was cut off. The next one forgets it: keys rotate")
    if not encrypted:
        tell_unencrypted(ws)


@app.command()
def rotate(ctx: typer.Context, yes: Yes = False) -> None:
    """A new signing key takes over.

    The old one introduces it, so that nobody has to compare fingerprints again.
    """
    with workspace(ctx) as ws:
        with ws.read() as tx:
            now = identity.current(identity.own(tx), tx.now_ms)
        if now is None:
            note("the key has ended: it introduces no other one, and the others have to compare the new fingerprint")
        else:
            say(f"the key {now.keyid[:16]} ends now, and its private half is forgotten; what it signed stays valid")
        confirm("Make a new signing key?", yes)
        who = rotation.rotate(ws)
        _tell(ws, who, introduced=now is not None)


@app.command()
def revoke(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The beginning of its id (keys list).")],
    reason: Annotated[str, typer.Option(help="Why; stays in this workspace.")] = "",
    since: Annotated[
        str, typer.Option(help="Since when somebody else may hold it: a date or RFC 3339 time. Default: now.")
    ] = "",
    yes: Yes = False,
) -> None:
    """A stolen key: what it signs from a time on does not count.

    Final. A new key takes over if it was the one that signs. It is not introduced by the revoked one: everybody has to
    compare the new fingerprint.
    """
    since_ms = moment_ms(since) if since else None
    with workspace(ctx) as ws:
        with ws.read() as tx:
            found = rotation.find(tx, key)
            now = identity.current(identity.own(tx), tx.now_ms)
            void = rotation.signed_since(tx, found, tx.now_ms if since_ms is None else since_ms)
        say(f"the key {found.keyid[:16]}: signatures dated from {since or 'now'} on do not count, for good")
        say(f"{void} documents that it signed since then have to be issued anew")
        say("who hears of it takes no new document by this key, whatever its date, and no key that it introduces")
        confirm("Revoke it?", yes)
        who = rotation.revoke(ws, found.keyid, since_ms, reason)
        _tell(ws, who, introduced=now is not None and now.keyid != found.keyid)


@app.command()
def encrypt(ctx: typer.Context) -> None:
    """Encrypt the private keys under a passphrase.

    That of FAIRFRAME_PASSPHRASE or FAIRFRAME_PASSPHRASE_FILE, or one that is asked for.
    """
    with workspace(ctx) as ws:
        if ws.keys.encrypted:
            raise InputError(
                "the keys are encrypted already",
                code="keys.encrypted",
                remedy="To change it: fairframe keys passphrase",
            )
        ws.keys.encrypt(passphrases.given(ws.settings) or new_passphrase("FAIRFRAME_PASSPHRASE"))
    say("the private keys are encrypted (scrypt, AES-256-GCM)")
    note(
        "Without the passphrase they are lost. Older copies may be left in backups and on the disk: to be sure, rotate."
    )


@app.command()
def passphrase(ctx: typer.Context) -> None:
    """Change the passphrase.

    To that of FAIRFRAME_NEW_PASSPHRASE or FAIRFRAME_NEW_PASSPHRASE_FILE, or one that is asked for.
    """
    with workspace(ctx) as ws:
        if not ws.keys.encrypted:
            raise InputError("the keys are not encrypted", code="keys.not_encrypted", remedy="fairframe keys encrypt")
        ws.keys.held()  # the old one is right before a new one is asked for
        new = passphrases.given(ws.settings, "new_passphrase") or new_passphrase("FAIRFRAME_NEW_PASSPHRASE")
        ws.keys.encrypt(new)
    say("the passphrase is changed")
    note("Set FAIRFRAME_PASSPHRASE to the new one. Copies from before still open with the old one.")


@app.command()
def decrypt(ctx: typer.Context, yes: Yes = False) -> None:
    """Keep the private keys unencrypted."""
    with workspace(ctx) as ws:
        if not ws.keys.encrypted:
            raise InputError("the keys are not encrypted", code="keys.not_encrypted")
        confirm("Whoever reads the folder can then sign in your name. Decrypt the keys?", yes)
        ws.keys.encrypt(None)
        tell_unencrypted(ws)
    say("the private keys are decrypted")


def tell_unencrypted(ws: Workspace) -> None:
    note(UNENCRYPTED.format(folder=ws.keys.folder, root=ws.root))


def new_passphrase(variable: str) -> str:
    """Ask twice on a terminal. Raises InputError (keys.passphrase) without one."""
    if not sys.stdin.isatty():
        raise InputError(
            "a passphrase is needed",
            code="keys.passphrase",
            remedy=f"Set {variable}, or {variable}_FILE to a file's name",
        )
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True))


def _tell(ws: Workspace, who: Party, *, introduced: bool) -> None:
    say(f"fingerprint {who.fingerprint}")
    file: Path = ws.root / "party.json"
    if introduced:
        note(f"Give {file} to the other side: fairframe trust add takes it without another comparison.")
    else:
        note(f"Give {file} to the other side, and read the fingerprint to them over another channel.")
    if not ws.keys.encrypted:
        tell_unencrypted(ws)
