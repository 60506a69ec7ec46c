"""One asset, as `library show` tells of it."""

from collections.abc import Sequence
from typing import Any

from fairframe.cli.shell import note, say, span, table, when
from fairframe.flows.whereabouts import Held
from fairframe.library.release_words import plain
from fairframe.library.show import Shown


def to_json(found: Shown) -> dict[str, Any]:
    keep = [c for c in found.asset if c not in ("id", "contributor_id")]
    return {
        **{name: found.asset[name] for name in keep},
        "contributor": {"id": found.contributor["public_id"], "name": found.contributor["name"]},
        "owners": [{"contributor": who, "share": share} for who, share in found.owners],
        "collections": [{"id": c["public_id"], "name": c["name"]} for c in found.collections],
        "facts": found.facts,
        "history": [vars(one) for one in found.history],
        "signals": [{k: s[k] for k in ("public_id", "kind", "key", "value", "trust")} for s in found.signals],
        "releases": [
            {
                "id": r["public_id"],
                "kind": r["kind"],
                "ai_training": r["ai_training"],
                "document_hash": r["document_hash"],
                "territory": plain(r, "territory"),
                "until_ms": r["valid_until_ms"],
                "minor": plain(r, "minor"),
                "guardian_signed": plain(r, "guardian"),
                "since_ms": r["valid_from_ms"],
                "ended_ms": found.ended_ms.get(r["id"]),
            }
            for r in found.releases
        ],
    }


def render(found: Shown) -> None:
    row = found.asset
    say(f"{row['title'] or row['filename']}  ({row['public_id']})", "bold")
    rate = row["fps_num"] / row["fps_den"]
    lines = [
        ("contributor", f"{found.contributor['name']} ({found.contributor['public_id']})"),
        ("file", row["filename"]),
        ("description", row["description"]),
        ("keywords", ", ".join(row["keywords"])),
        *(("collection", f"{c['name']} ({c['public_id']})") for c in found.collections),
        (
            "picture",
            f"{row['codec']} {row['width']}x{row['height']}, {rate:.3g} fps{', variable' if row['vfr'] else ''}",
        ),
        ("length", f"{span(row['duration_ms'])}, {row['frames']} frames, {row['bit_depth']} bit"),
        ("owners", ", ".join(f"{who} {share}" for who, share in found.owners)),
        ("sha-256", row["content_hash"]),
        *((name.replace("_", " "), value) for name, value in found.facts.items()),
        *(("signal", f"{s['key']} = {s['value']} ({s['trust']})") for s in found.signals),
        *(("release", _release(r, found.ended_ms.get(r["id"]))) for r in found.releases),
        ("taken in", when(row["recorded_at_ms"])),
    ]
    table(["", ""], lines)


def _release(row: Any, ended_ms: int | None) -> str:
    if ended_ms is not None:
        return f"{row['kind']} {row['public_id']}, ended {when(ended_ms)}"
    said = [f"training {'covered' if row['ai_training'] else 'not covered'}", plain(row, "territory")]
    said += [] if row["valid_until_ms"] is None else [f"until {when(row['valid_until_ms'])}"]
    said += [f"of a minor, {'a' if row['guardian'] else 'no'} guardian signed"] if row["minor"] else []
    return f"{row['kind']} {row['public_id']}, {', '.join(said)}, sha-256 {row['document_hash']}"


def tell_labs(held: Sequence[Held]) -> None:
    """What is left to do where clips of an asset are out: what no longer clears is taken back by the next feed."""
    for one in held:
        note(f"{one.clips} clips of it are in {one.name} at {one.lab}; the next feed takes back what no longer clears.")
    for agreement in dict.fromkeys(one.agreement for one in held):
        note(f"Send it: fairframe rights feed {agreement} -o feed.json")
