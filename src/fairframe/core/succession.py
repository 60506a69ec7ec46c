"""Whether a party's new document may take the place of an older one that somebody pinned, without a new comparison.

A key that was pinned, and counts now, vouches for it: it signed the new document, or introduced, directly or over
others, the key that did. A revoked key vouches for nothing: whoever stole it could introduce a key of his own.
"""

from collections.abc import Collection

from fairframe.core.party import Party
from fairframe.core.party_key import PartyKey, introduced_by


def objection(pinned: Party, new: Party, signers: Collection[str], at_ms: int) -> str:
    """Why `new` does not follow from `pinned` by itself; "" where it does.

    signers: the keyids whose signatures on the new document hold. at_ms: now.
    """
    if (new.id, new.role, new.name) != (pinned.id, pinned.role, pinned.name):
        return "it names another party, role or name"
    if new.version <= pinned.version:
        return f"its number {new.version} is not above that of the pinned one, {pinned.version}"
    if lost := [key.keyid for key in pinned.keys if not _carried(key, new)]:
        return f"it drops, or changes, the key {lost[0][:16]} of the pinned one"
    if not _reachable(pinned, new, at_ms) & set(signers):
        return "no key of the pinned one, unrevoked and in its time, vouches for the key that signed it"
    return ""


def revived(pinned: Party, new: Party) -> list[str]:
    """Keys whose revocation the new document would take back, which no comparison allows: a revocation is final."""
    known = {key.keyid: key.revoked_ms for key in pinned.keys if key.revoked_ms is not None}
    return [key.keyid for key in new.keys if key.keyid in known and _later(key.revoked_ms, known[key.keyid])]


def _later(said_ms: int | None, known_ms: int) -> bool:
    return said_ms is None or said_ms > known_ms


def _carried(key: PartyKey, new: Party) -> bool:
    """Whether the new document has the key as it was, and for no longer."""
    for one in new.keys:
        if one.keyid == key.keyid:
            longer = key.ends_ms is not None and (one.ends_ms is None or one.ends_ms > key.ends_ms)
            revived_ = key.revoked_ms is not None and _later(one.revoked_ms, key.revoked_ms)
            same = (one.purpose, one.valid_from_ms) == (key.purpose, key.valid_from_ms)
            return same and not longer and not revived_
    return False


def _reachable(pinned: Party, new: Party, at_ms: int) -> set[str]:
    """The keys of the new document that a pinned key, which counts now, is or introduced."""
    told = {key.keyid: key for key in new.keys}
    # as pinned, not as told anew: the new document has a rotated key end at the moment of its introduction
    open_ = {key.keyid: key for key in pinned.keys if key.valid_at(at_ms) and told[key.keyid].revoked_ms is None}
    found = dict(open_)
    while open_:
        nearby = {
            key.keyid: key
            for key in new.keys
            if key.keyid not in found
            and key.revoked_ms is None
            and any(introduced_by(new.id, key, by) for by in open_.values())
        }
        found |= nearby
        open_ = nearby
    return set(found)
