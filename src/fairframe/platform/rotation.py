"""A workspace changes its signing key: a new one takes over, or one that was lost or stolen is revoked.

Each step leaves a workspace that can sign, wherever it is cut off: the new private half is on the disk before the
document that names it is committed, DIR/party.json follows from the database when the workspace is next opened, and
a private half that signs no more is forgotten last.
"""

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairframe.core import keys
from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.party import Party
from fairframe.core.party_key import PartyKey, introduce
from fairframe.core.time import to_rfc3339
from fairframe.platform import audit, identity
from fairframe.platform.tables import document, party
from fairframe.platform.tx import Tx, WriteTx
from fairframe.platform.workspace import Workspace, publish

MAX_REASON = 2_000
MAX_KEYS = 64
"""As many as a party document may list."""


@dataclass(frozen=True)
class Held:
    """A key of the keyring as `fairframe keys list` tells it. role: sign, credentials or pseudonyms."""

    role: str
    keyid: str
    state: str
    valid_from_ms: int | None
    ends_ms: int | None
    private: bool

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def listing(tx: Tx) -> list[Held]:
    """The signing keys of this workspace's document, oldest first, and the two other secrets of its keyring."""
    held, me = tx.ws.keys.held(), identity.own(tx)
    now = identity.current(me, tx.now_ms)
    signing = [
        Held("sign", key.keyid, _state(key, now), key.valid_from_ms, key.ends_ms, key.keyid in held) for key in me.keys
    ]
    credentials, secret = (Held(role, "", "in use", None, None, True) for role in ("credentials", "pseudonyms"))
    return [*signing, credentials, secret]


def _state(key: PartyKey, now: PartyKey | None) -> str:
    if key.revoked_ms is not None:
        return "revoked"
    return "signing" if key == now else "ended"


def find(tx: Tx, text: str) -> PartyKey:
    """A key of this workspace by the beginning of its id, eight digits at least. Raises NotFound, InputError."""
    plain = text.replace(" ", "").lower()
    if len(plain) < 8:
        raise InputError("a key is named by eight digits of its id at least", code="keys.short_id")
    found = [key for key in identity.own(tx).keys if key.keyid.startswith(plain)]
    if not found:
        raise NotFound(
            f"no key {plain[:16]} is in this keyring", code="keys.unknown", remedy="See: fairframe keys list"
        )
    return found[0]


def signed_since(tx: Tx, key: PartyKey, since_ms: int) -> int:
    """How many documents this workspace issued with a key, dated at a time or later: a revocation voids them."""
    ends = key.ends_ms if key.ends_ms is not None else 1 << 62
    start = max(since_ms, key.valid_from_ms)
    mine = (document.c.direction == "out") & (document.c.issued_at_ms >= start) & (document.c.issued_at_ms < ends)
    return int(tx.scalar(sa.select(sa.func.count()).select_from(document).where(mine)))


def rotate(ws: Workspace) -> Party:
    """A new signing key takes over now. The old one introduces it, and counts for what it signed until now.

    Raises what reading the keyring raises, Conflict (keys.too_many). Once it returns the old private half is gone.
    """
    with ws.write() as tx:
        at, me = _moment(tx), identity.own(tx)
        old = identity.current(me, at)
        private = _new(ws, me)
        told = None
        if old is not None:
            told = introduce(me.id, private.public_key(), at, ws.keys.signing_key(old.keyid)[1])
        made = replace(_key(private, at), introduction=told)
        older = tuple(replace(key, valid_to_ms=at) if key == old else key for key in me.keys)
        who = replace(me, created_at_ms=at, version=me.version + 1, keys=(*older, made))
        _commit(tx, who, private, {"rotated": old.keyid if old else "", "to": made.keyid}, "")
        identity.insert_key(tx, made)
    _finish(ws, who)
    return who


def revoke(ws: Workspace, text: str, since_ms: int | None, reason: str) -> Party:
    """A key's signatures count no more from a time on (now, where none is given). If it signs now, a new one takes
    over that it does not introduce: the others have to compare fingerprints anew.

    Raises NotFound, InputError (keys.since: not in the key's time; input.bad_reason), Conflict (keys.revoked: from
    then on already; keys.too_many).
    """
    if len(reason) > MAX_REASON or "\x00" in reason:
        raise InputError(f"a reason has at most {MAX_REASON} characters", code="input.bad_reason")
    with ws.write() as tx:
        at, me, key = _moment(tx), identity.own(tx), find(tx, text)
        since = at if since_ms is None else since_ms
        _check_since(key, since, at)
        gone = replace(key, revoked_ms=since)
        listed = tuple(gone if one.keyid == key.keyid else one for one in me.keys)
        body: dict[str, str] = {"revoked": key.keyid, "from": to_rfc3339(since)}
        signing = identity.current(replace(me, keys=listed), at)
        if signing is not None:
            private = ws.keys.signing_key(signing.keyid)[1]
        else:
            private = _new(ws, me)
            made = _key(private, at)
            listed, body = (*listed, made), {**body, "to": made.keyid}
            identity.insert_key(tx, made)
        who = replace(me, created_at_ms=at, version=me.version + 1, keys=listed)
        _commit(tx, who, private, body, reason)
    _finish(ws, who)
    return who


def _moment(tx: WriteTx) -> int:
    """When a key takes over: after all that was signed, so that no signature falls into the moment of its end.

    It is the transaction's time, or up to some milliseconds later where a clock lags.
    """
    audit.lock(tx.conn)
    issued = tx.scalar(sa.select(sa.func.max(document.c.issued_at_ms)).where(document.c.direction == "out"))
    begun = max(key.valid_from_ms for key in identity.own(tx).keys)
    return max(tx.now_ms, audit.last_ms(tx.conn) + 1, int(issued or 0) + 1, begun + 1)


def _check_since(key: PartyKey, since_ms: int, now_ms: int) -> None:
    if key.revoked_ms is not None and since_ms >= key.revoked_ms:
        told = to_rfc3339(key.revoked_ms)
        raise Conflict(f"the key is revoked from {told} on already", code="keys.revoked", where=key.keyid[:16])
    if not key.valid_from_ms <= since_ms <= now_ms:
        raise InputError(
            f"a key is revoked from a moment on between its first, {to_rfc3339(key.valid_from_ms)}, and now",
            code="keys.since",
            where=key.keyid[:16],
        )


def _new(ws: Workspace, me: Party) -> Ed25519PrivateKey:
    if len(me.keys) >= MAX_KEYS:
        raise Conflict(f"a party document lists {MAX_KEYS} keys at most", code="keys.too_many")
    private = keys.generate()
    ws.keys.add(private)
    return private


def _key(private: Ed25519PrivateKey, now_ms: int) -> PartyKey:
    public = private.public_key()
    return PartyKey(keys.keyid(public), public, "sign", now_ms, now_ms + identity.VALID_MS)


def _commit(tx: WriteTx, who: Party, private: Ed25519PrivateKey, body: dict[str, str], reason: str) -> None:
    known = tx.row(party.select().where(party.c.is_self))
    assert known is not None
    identity.succeed(tx, known, who, who.seal(private), "made")
    kind = "key.revoked" if "revoked" in body else "key.rotated"
    tx.record(kind, who.id, body, {"reason": reason} if reason else None)


def _finish(ws: Workspace, who: Party) -> None:
    """Tell it in DIR/party.json, and forget the private halves that sign no more."""
    publish(ws)
    now = identity.current(who, who.created_at_ms)
    ws.keys.keep([now.keyid] if now is not None else [])
