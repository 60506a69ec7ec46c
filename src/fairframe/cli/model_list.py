"""model list, model show: the checkpoints of a workspace, and one with its ancestors and permissions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from fairframe.cli.shell import AsJson, emit, group, say, table, when, workspace
from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row
from fairframe.training import ancestry, registry, released
from fairframe.training.ancestry import Node
from fairframe.training.permission_rule import PURPOSES, USES, Answer, Use
from fairframe.training.permissions import Permissions, permissions_of

app = group("Checkpoints.")

Tenant = Annotated[
    str | None,
    typer.Option(
        metavar="AGREEMENT", help="For the rights holder whose agreement this is: their models are used for them alone."
    ),
]


@app.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Checkpoints: a lab's own, or those that labs reported.

    Weights that were released cannot be called back; a library does not hear of releases through reports.
    """
    with workspace(ctx) as ws, ws.read() as tx:
        left = released.of_all(tx)
        found = [
            (row, [one["kind"] for one in registry.events(tx, row["id"])], left.get(row["id"], []))
            for row in registry.listing(tx)
        ]
    keep = ("public_id", "name", "agreement", "delivery", "frames_seen", "weights_hash", "recorded_at_ms")
    emit(
        [
            {name: row[name] for name in keep} | {"events": events, "released": _released(gone)}
            for row, events, gone in found
        ],
        as_json,
        lambda: table(
            ["checkpoint", "id", "#frames", "since", "agreement", "weights released", "then"],
            [
                (
                    row["name"],
                    row["public_id"],
                    row["frames_seen"],
                    when(row["recorded_at_ms"]),
                    row["agreement"],
                    ", ".join(f"{when(one['recorded_at_ms'])}, {one['purpose']}" for one in gone),
                    ", ".join(events),
                )
                for row, events, gone in found
            ],
            empty="no checkpoints yet; make one with: fairframe train",
        ),
    )


@app.command()
def show(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Name or id.")],
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """What a checkpoint is made of, and what it may be used for.

    Its ancestors as a tree, each with its role, weight and license; each use for each purpose, and every reason against
    it. The most restrictive ancestor decides.
    """
    with workspace(ctx) as ws, ws.read() as tx:
        row = registry.find_any(tx, model)
        tree, found = ancestry.tree(tx, row), permissions_of(tx, row, tenant=tenant)
        gone = _released(released.of_all(tx).get(row["id"], []))

    def render() -> None:
        say(f"{tree.name} ({found.checkpoint})")
        for one in gone:
            until = "" if one["ends_ms"] is None else f" until {when(one['ends_ms'])}"
            what = f"weights released {when(one['at_ms'])} for {one['purpose']}{until}"
            say(f"{what}, {one['license']}: {one['document']}")
        table(["made of", "as", "#weight", "license", "data"], list(_lines(tree)))
        say("")
        table(["may it be used for", *PURPOSES], [_row(found, use) for use in USES])
        _reasons(found)

    emit({**_json(tree, found), "released": gone}, as_json, render)


def _released(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The releases of a checkpoint's weights."""
    return [
        {name: row[name] for name in ("document", "purpose", "license", "ends_ms")} | {"at_ms": row["recorded_at_ms"]}
        for row in rows
    ]


def _lines(node: Node, depth: int = 0) -> Iterator[tuple[str, str, str, str, str]]:
    if node.role:
        yield "  " * (depth - 1) + node.name, node.role, node.weight, node.license, node.data
    if node.own_frames:
        what = f"{node.own_frames} frames of its own training"
        yield "  " * depth + what, "data", node.own_weight, node.license if not node.role else "", "disclosed"
    for child in node.made_of:
        yield from _lines(child, depth + 1)


def _row(found: Permissions, use: Use) -> tuple[str, ...]:
    cells: list[str] = []
    for purpose in PURPOSES:
        answer = found.answer(use, purpose)
        where = "" if answer.territory.codes is None else f" in {answer.territory}"
        until = "" if answer.ends_ms is None else f" until {to_rfc3339(answer.ends_ms)[:10]}"
        cells.append(f"yes{where}{until}" if answer.ok else "no")
    return (_words(use), *cells)


def _words(use: Use) -> str:
    return use.replace("_", " ")


def _reasons(found: Permissions) -> None:
    """Every reason once, with the uses and purposes that it stands against."""
    against: dict[tuple[str, str], dict[Use, list[str]]] = {}
    for answer in found.answers:
        for one in answer.against:
            against.setdefault((one.code, one.text), {}).setdefault(answer.asked.use, []).append(answer.asked.purpose)
    if against:
        say("")
        rows = [(_uses(uses), code, text) for (code, text), uses in against.items()]
        table(["not for", "code", "because"], rows)


def _uses(against: Mapping[Use, Sequence[str]]) -> str:
    """Uses and purposes in few words."""
    by_purposes: dict[tuple[str, ...], list[str]] = {}
    for use, purposes in against.items():
        by_purposes.setdefault(tuple(purposes), []).append(_words(use))
    told: list[str] = []
    for purposes, uses in by_purposes.items():
        what = "any use" if len(uses) == len(USES) else ", ".join(uses)
        told.append(what if len(purposes) == len(PURPOSES) else f"{what} for {', '.join(purposes)}")
    return "; ".join(told)


def _json(tree: Node, found: Permissions) -> dict[str, Any]:
    return {
        "checkpoint": found.checkpoint,
        "name": found.name,
        "made_of": tree.to_json(),
        "permissions": [_answer(one) for one in found.answers],
    }


def _answer(one: Answer) -> dict[str, Any]:
    return {
        "use": one.asked.use,
        "purpose": one.asked.purpose,
        "permitted": one.ok,
        "territory": str(one.territory),
        "ends_at": None if one.ends_ms is None else to_rfc3339(one.ends_ms),
        "findings": [{"ok": f.ok, "code": f.code, "of": f.of, "role": f.role, "text": f.text} for f in one.findings],
    }
