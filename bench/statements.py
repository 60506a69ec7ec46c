"""Statements on paper: 20 in Arabic with 20 clips each, beside bare reportlab pages of as many lines of the same text.

    python bench/statements.py

`value` is CPU seconds for the 20 statements after the fonts were loaded, `against` those of bare reportlab: one page
each, drawString line by line in Helvetica, without shaping, fonts of our own, direction, a chart or tables. So the
ratio is below 1; the bar is the second that 20 may take.
"""

import sys
import time
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from _line import claim

COUNT, CLIPS, SECONDS = 20, 20, 1.0
NAMES = ("ليلى عبد الرحمن", "Ada Lind", "يوسف Fehri", "Dmytro Koval")


def main() -> int:
    from fairframe.royalties.paper.render import render_pdf

    made: list[Any] = [statement(number) for number in range(COUNT + 1)]
    render_pdf(made[COUNT], "ar")
    begin = time.process_time()
    sizes = [len(render_pdf(one, "ar")) for one in made[:COUNT]]
    ours = time.process_time() - begin
    begin = time.process_time()
    for one in made[:COUNT]:
        bare(one)
    plain = time.process_time() - begin
    print(f"{COUNT} statements of {CLIPS} clips in Arabic  {ours:6.2f} CPU s, {max(sizes):,} bytes", file=sys.stderr)
    print(f"bare reportlab, as many lines             {plain:6.2f} CPU s", file=sys.stderr)
    ok = ours <= SECONDS
    unit = f"CPU s for {COUNT} statements; the bar is {SECONDS} s"
    claim("statements", round(ours, 3), unit, round(plain, 3), round(plain / ours, 2), SECONDS, ok)
    return 0 if ok else 1


def bare(made: Any) -> bytes:
    """A page with a line for each clip and as many for the rest of the text."""
    from reportlab.pdfgen.canvas import Canvas

    out = BytesIO()
    canvas = Canvas(out, invariant=1, pageCompression=1)
    lines = [
        f"{clip['title']} {clip['weight']} {clip['amount_micro']}" for clip in made.body["allocations"][0]["assets"]
    ]
    for number, text in enumerate([*lines, *lines]):
        canvas.drawString(48, 800 - 15 * number, text.encode("latin-1", "replace").decode("latin-1"))
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def statement(number: int) -> Any:
    """A statement over one deal, its amounts different in each."""
    from fairframe.core.apportion import hamilton, tie_key

    weights = [1_000 + 977 * n + 13 * number for n in range(CLIPS)]
    own, total, pool = sum(weights), 3 * sum(weights) + 7, 200_000_000_000 + number
    floor, remainder = divmod(pool * own, total)
    parts = hamilton(floor, weights, [tie_key(b"", str(n)) for n in range(CLIPS)])
    clips = [
        {"asset": f"ast_{n:026d}", "filename": f"coast_{n:03d}.mp4", "title": f"مشهد بحري {n} at dawn",
         "weight": str(weight), "amount_micro": str(part)}
        for n, (weight, part) in enumerate(zip(weights, parts, strict=True))
    ]  # fmt: skip
    deal: dict[str, Any] = {
        "agreement": {
            "id": "agr_0", "purpose": "research", "share": "1/5",
            "licensee": {"id": "pty_0", "name": "Meridian Video Lab"},
        },
        "model": None, "method": "delivered_ms", "unit": "ms delivered", "contributors": 3, "pool_micro": str(pool),
        "revenue": {
            "kind": "flat", "of": None, "effective_at": "2026-06-17T00:00:00.000Z", "gross_minor": "1000000",
            "tax_minor": "0", "net_minor": "1000000",
        },
        "weight_total": str(total), "extra_units": "2", "assets": clips,
        "own": {
            "weight": str(own), "floor_micro": str(floor), "remainder": str(remainder), "extra": False,
            "amount_micro": str(floor),
        },
    }  # fmt: skip
    sums = dict.fromkeys(("opening", "adjusted", "withheld", "paid", "carry"), "0") | {
        name: str(floor) for name in ("earned", "closing", "accrued")
    }
    body: dict[str, Any] = {
        "contributor": {"id": "ctr_0", "name": f"{NAMES[number % len(NAMES)]} {number}"},
        "library": {"id": "pty_1", "name": "Coastline Footage"},
        "currency": "USD",
        "period": {"from": "2026-04-01T00:00:00.000Z", "to": "2026-07-01T00:00:00.000Z"},
        **{f"{name}_micro": amount for name, amount in sums.items()},
        "payable_minor": "0",
        "allocations": [deal],
        "payouts": [],
        "adjustments": [],
    }
    bundle = SimpleNamespace(issued_at_ms=1_782_900_000_000)
    return SimpleNamespace(id=f"stm_{number:026d}", body=body, envelope=str(number).encode(), bundle=bundle)


if __name__ == "__main__":
    sys.exit(main())
