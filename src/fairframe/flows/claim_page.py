"""A claim as one page for whoever decides it: frames of film and clip side by side, nothing loaded, no script."""

from dataclasses import dataclass
from typing import Any

from fairframe.core.errors import FairframeError
from fairframe.core.time import to_rfc3339
from fairframe.flows.report_pictures import data_uri
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace


@dataclass(frozen=True)
class Shown:
    """One pair of frames: pictures as data URIs ("" where one is not kept), times in words, distance in bits."""

    film: str
    clip: str
    film_at: str
    clip_at: str
    distance: int
    view: str


def claim_page(ws: Workspace, case: Row, now_ms: int) -> str:
    """HTML of a case as rights.claims.find gives it."""
    from fairframe.flows.report import render_page

    found: dict[str, Any] = case["found"]
    return render_page(
        "claim.html.j2",
        title=f"Claim {case['public_id']}",
        made=to_rfc3339(now_ms),
        case=case,
        lodged=to_rfc3339(case["recorded_at_ms"]),
        found=found,
        near=[(one, _pairs(ws, one)) for one in found["near"]],
    )


def _pairs(ws: Workspace, near: dict[str, Any]) -> list[Shown]:
    kept: list[tuple[str, str]] = [tuple(one) for one in near["stills"]] or [("", "")] * len(near["pairs"])
    return [
        Shown(
            film=_picture(ws, film),
            clip=_picture(ws, clip),
            film_at=at(pair["film_ms"]),
            clip_at=at(pair["clip_ms"]),
            distance=pair["distance"],
            view=pair["view"],
        )
        for pair, (film, clip) in zip(near["pairs"], kept, strict=True)
    ]


def at(ms: int) -> str:
    """A place in a film, minutes:seconds.milliseconds."""
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def _picture(ws: Workspace, key: str) -> str:
    try:
        return data_uri(ws.objects.read(key)) if key else ""
    except FairframeError:
        return ""
