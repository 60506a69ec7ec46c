"""A statement as CSV, for a spreadsheet: one line per booking and clip; the same facts, no signature."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from fairframe.core.money import MICRO, Currency, format_micro
from fairframe.core.sheet import cell
from fairframe.royalties.statement_amounts import by_file

COLUMNS = (
    "line", "at", "id", "agreement", "licensee", "purpose", "model", "revenue", "clip", "title", "weight",
    "weight_total", "unit", "pool", "amount", "currency", "amount_micro",
)  # fmt: skip


def to_csv(body: Mapping[str, Any]) -> str:
    """RFC 4180 text with CRLF. Amounts are decimals with six digits beyond the minor unit; amount_micro is exact too.

    A cell of text that a spreadsheet would take for a formula gets a leading apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows(body):
        writer.writerow([row.get(name, "") for name in COLUMNS])
    return out.getvalue()


def rows(body: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The lines of a statement, from the opening to what is carried over; a cell without a value is left out."""
    currency = Currency(body["currency"])

    def amount(line: str, micro: int, **cells: str) -> dict[str, str]:
        shown = {name: cell(text) for name, text in cells.items()}
        amounts = {"amount": format_micro(micro, currency), "currency": currency.code, "amount_micro": str(micro)}
        return {"line": line, **shown, **amounts}

    yield amount("opening", int(body["opening_micro"]), at=body["period"]["from"])
    for one in body["allocations"]:
        deal, own = one["agreement"], one["own"]
        shared = {
            "at": one["booked_at"],
            "agreement": deal["id"],
            "licensee": deal["licensee"]["name"] if deal["licensee"] else "",
            "purpose": deal["purpose"],
            "model": (one["model"]["name"] or one["model"]["checkpoint"]) if one["model"] else "",
            "revenue": one["revenue"]["kind"],
            "unit": one["unit"],
        }
        pool = {"pool": format_micro(int(one["pool_micro"]), currency), "weight_total": one["weight_total"]}
        yield amount("earned", int(own["amount_micro"]), id=one["allocation"], weight=own["weight"], **pool, **shared)
        for clip in by_file(one["assets"]):
            cells = {"clip": clip["filename"], "title": clip["title"], "weight": clip["weight"]}
            yield amount("clip", int(clip["amount_micro"]), id=clip["asset"], **cells, **shared)
    for one in body["adjustments"]:
        cells = {"at": one["booked_at"], "id": one["transaction"], "title": one["memo"]}
        yield amount(one["kind"], int(one["amount_micro"]), **cells)
    for one in body["payouts"]:
        for step in one["steps"]:
            cells = {"at": step["booked_at"], "id": one["payout"], "title": one["reference"]}
            yield amount(f"payout {step['state']}", -int(step["paid_minor"]) * MICRO, **cells)
            if step["withheld_minor"] != "0":
                yield amount("withheld", -int(step["withheld_minor"]) * MICRO, **cells)
    until = body["period"]["to"]
    yield amount("closing", int(body["closing_micro"]), at=until)
    yield amount("not yet released", int(body["accrued_micro"]), at=until)
    yield amount("payable now", int(body["payable_minor"]) * MICRO, at=until)
    yield amount("carried over", int(body["carry_micro"]), at=until)
