"""Audit tree, keys, parties, documents that passed between parties, runs."""

import sqlalchemy as sa

from fairframe.platform.database import BIGINT, flag, json, key, number, one_of, public_id, ref, table, text

audit_entry = table(
    "audit_entry",
    sa.Column("seq", BIGINT, primary_key=True, autoincrement=False),
    number("recorded_at_ms"),
    text("kind"),
    text("subject", index=True),
    text("body"),  # the canonical JSON whose hash is the leaf
    text("leaf_hash"),
)

# complete subtrees of the RFC 9162 tree; every node is written once
audit_node = table(
    "audit_node",
    sa.Column("level", BIGINT, primary_key=True, autoincrement=False),
    sa.Column("idx", BIGINT, primary_key=True, autoincrement=False),
    text("hash"),
)

# opens a salted commitment of an audit entry; deleting a row erases the personal datum, not the tree
disclosure = table(
    "disclosure",
    key(),
    sa.Column("audit_seq", BIGINT, sa.ForeignKey("audit_entry.seq"), nullable=False, index=True),
    text("field"),
    text("salt"),
    text("value"),
    append_only=False,
)

party = table(
    "party",
    key(),
    public_id(),
    text("name"),
    one_of("role", "library", "lab"),
    text("fingerprint", unique=True),
    text("document"),
    flag("is_self"),
    number("recorded_at_ms"),
)

# a document of a party that took the place of the one before it: its newest row counts, else party.document
party_document = table(
    "party_document",
    key(),
    ref("party"),
    number("version"),
    text("fingerprint", index=True),
    text("document"),
    one_of("how", "made", "introduced", "compared"),
    number("recorded_at_ms"),
)

signing_key = table(
    "signing_key",
    key(),
    text("keyid", unique=True),
    one_of("purpose", "sign", "c2pa"),
    text("public_pem"),
    number("valid_from_ms"),
    number("valid_to_ms"),
    number("recorded_at_ms"),
)

document = table(
    "document",
    key(),
    public_id(),
    text("type"),
    number("version"),
    text("sender", index=True),
    text("recipient"),
    number("seq"),
    text("agreement"),  # public id, or empty
    one_of("direction", "in", "out"),
    text("digest"),
    text("envelope"),
    number("issued_at_ms"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("sender", "recipient", "type", "agreement", "seq"),
)

peer_head = table(
    "peer_head",
    key(),
    text("party", index=True),
    number("tree_size"),
    text("root"),
    ref("document"),
    number("recorded_at_ms"),
)

run = table(
    "run",
    key(),
    public_id(),
    text("kind"),
    json("arguments"),
    one_of("state", "running", "done", "failed"),
    text("owner"),
    number("lease_until_ms"),
    number("heartbeat_ms"),
    number("done"),
    number("total"),
    text("note"),
    json("result", nullable=True),
    text("error", nullable=True),
    number("created_at_ms"),
    number("finished_at_ms", nullable=True),
    append_only=False,
)
