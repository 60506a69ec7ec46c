"""Each stage alone writes its own tables; reading another's is fine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import fairframe

SOURCE = Path(fairframe.__file__).parent
WRITES = {"insert", "insert_many", "insert_from", "insert_rows", "reserve", "update", "delete"}
Owned = tuple[str, str]
"""(stage, table)"""


def tables() -> set[Owned]:
    found = set[Owned]()
    for path in SOURCE.glob("*/tables.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "table":
                found.add((path.parent.name, ast.literal_eval(node.args[0])))
    return found


def writes(tree: ast.Module) -> Iterator[tuple[int, Owned]]:
    """(line, what is written) for every call that writes a table which the module imports, under whatever name."""
    known = dict[str, Owned]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".tables"):
            stage = str(node.module).split(".")[1]
            known |= {one.asname or one.name: (stage, one.name) for one in node.names}
        elif isinstance(node, ast.ImportFrom) and any(one.name == "tables" for one in node.names):
            stage = str(node.module).split(".")[1]
            name = next(one.asname or one.name for one in node.names if one.name == "tables")
            known |= {f"{name}.{table}": (owner, table) for owner, table in tables() if owner == stage}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in WRITES:
            on = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            yield from (
                (node.lineno, known[name]) for one in (*on, *node.args[:2]) if (name := ast.unparse(one)) in known
            )


def test_each_stage_alone_writes_its_own_tables() -> None:
    strangers, written = list[str](), set[Owned]()
    for path in SOURCE.rglob("*.py"):
        stage = path.relative_to(SOURCE).parts[0]
        for line, (owner, table) in writes(ast.parse(path.read_text("utf-8"))):
            written.add((owner, table))
            if owner != stage:
                strangers.append(f"{path.relative_to(SOURCE)}:{line} writes {owner}'s {table}")
    assert strangers == []
    # else a way of writing went unseen
    assert tables() - written == set()


def test_it_sees_a_stranger() -> None:
    text = """
from fairframe.library import tables as library
from fairframe.rights.tables import hold as hold_table
tx.insert(hold_table, reason="x")
tx.execute(library.asset.delete())
tx.execute(sa.update(hold_table))
tx.rows(hold_table.select())
"""
    assert [(line, owned[1]) for line, owned in writes(ast.parse(text))] == [(4, "hold"), (5, "asset"), (6, "hold")]
