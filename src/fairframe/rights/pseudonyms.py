"""Pseudonyms: what a delivery calls an asset or a contributor instead of their ids."""

import hashlib
import hmac

from fairframe.core.ids import encode_id


def pseudonym(secret: bytes, family: str, public_id: str) -> str:
    """ "psn_" and 26 base32 characters: the first 16 bytes of HMAC-SHA256(secret, family "|" public_id).

    One name per agreement family, so that it survives an upgrade, and another in every other family. Only who holds
    the library's secret can compute or look one up. It hides identity, not what was delivered: two labs that compare
    clips or their hashes can tell that they hold the same ones.
    """
    mac = hmac.new(secret, f"{family}|{public_id}".encode(), hashlib.sha256).digest()
    return encode_id("psn", mac[:16])
