"""Compares the append-only tables with the audit tree: no row without its entry, no entry without its rows.

The tables are read once, in the order of their ids. Memory grows with the number of write transactions.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fairframe.core.finding import Finding
from fairframe.platform.audit import commitment
from fairframe.platform.audit_rows import FIELD, STREAM, lines
from fairframe.platform.tables import audit_entry, disclosure
from fairframe.platform.tx import Tx

NAMED = 5
"""How many rows or entries of a table a finding names."""


@dataclass
class _Claim:
    """What one entry says of one table. `left`: how many of its rows were not read yet."""

    seq: int
    expected: str
    left: int
    digest: Any = field(default_factory=hashlib.sha256)


@dataclass
class _Claims:
    """Runs of ids by table, each with its claim, and what is wrong with entries themselves."""

    runs: dict[str, list[tuple[int, int, _Claim]]] = field(default_factory=dict[str, list[tuple[int, int, _Claim]]])
    unopened: list[int] = field(default_factory=list[int])


def check_rows(tx: Tx, tables: Sequence[sa.Table]) -> list[Finding]:
    """Every row of `tables` against the entry of the transaction that inserted it."""
    claims = _claims(tx)
    findings: list[Finding] = []
    if claims.unopened:
        text = f"what the entries {_some(claims.unopened)} say of their rows is missing or was changed"
        findings.append(_failed(text))
    for name in sorted(claims.runs.keys() - {table.name for table in tables}):
        findings.append(_failed(f"entries stand for rows of {name}, which is no append-only table"))
    count = 0
    for table in tables:
        rows, problems = _check_table(tx, table, sorted(claims.runs.get(table.name, []), key=lambda run: run[:2]))
        count += rows
        findings += [_failed(f"{table.name}: {problem}") for problem in problems]
    if findings:
        return findings
    return [Finding(True, "audit.rows", f"{count} rows of {len(tables)} tables are those that their entries recorded")]


def _failed(text: str) -> Finding:
    return Finding(False, "audit.rows", text)


def _claims(tx: Tx) -> _Claims:
    opened = (disclosure.c.audit_seq == audit_entry.c.seq) & (disclosure.c.field == FIELD)
    statement = (
        sa.select(audit_entry.c.seq, audit_entry.c.body, disclosure.c.salt, disclosure.c.value)
        .outerjoin(disclosure, opened)
        .order_by(audit_entry.c.seq)
        .execution_options(yield_per=STREAM)
    )
    claims = _Claims()
    for row in tx.execute(statement).mappings():
        seq, salt, value = int(row["seq"]), row["salt"], row["value"]
        try:
            expected = json.loads(row["body"])["commitments"].get(FIELD)
            if expected is None:
                continue
            if value is None or commitment(salt, value) != expected:
                claims.unopened.append(seq)
                continue
            for name, said in json.loads(value).items():
                left = sum(last - first + 1 for first, last in said["ids"])
                claim = _Claim(seq, said["digest"], left)
                claims.runs.setdefault(name, []).extend((first, last, claim) for first, last in said["ids"])
        except (ValueError, KeyError, TypeError, AttributeError):
            claims.unopened.append(seq)
    return claims


def _check_table(tx: Tx, table: sa.Table, runs: Sequence[tuple[int, int, _Claim]]) -> tuple[int, list[str]]:
    """How many rows there are, and what is wrong with them."""
    count, at, strangers = 0, 0, list[int]()
    for ids, told in lines(tx.conn, table):
        count += len(ids)
        for key, line in zip(ids, told, strict=True):
            while at < len(runs) and runs[at][1] < key:
                at += 1
            if at == len(runs) or runs[at][0] > key:
                strangers.append(key)
                continue
            claim = runs[at][2]
            claim.digest.update(line)
            claim.left -= 1
    by_seq = {claim.seq: claim for _, _, claim in runs}
    missing = {seq: claim.left for seq, claim in by_seq.items() if claim.left}
    changed = [s for s, claim in by_seq.items() if not claim.left and claim.digest.hexdigest() != claim.expected]
    problems: list[str] = []
    if strangers:
        problems.append(f"{len(strangers)} rows stand in no audit entry: {_some(strangers)}")
    if missing:
        problems.append(f"{sum(missing.values())} rows are missing that the entries {_some(list(missing))} recorded")
    if changed:
        problems.append(f"rows were changed that the entries {_some(changed)} recorded")
    return count, problems


def _some(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:NAMED])) + (", ..." if len(numbers) > NAMED else "")
