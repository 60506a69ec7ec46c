"""fairframe-verify: checks a document or delivery with nothing but this package's core and cryptography.

Whoever receives a delivery or a statement can run it without trusting, or installing, the rest.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import FairframeError
from fairframe.core.plain import plain
from fairframe.core.time import now_ms
from fairframe.verify.files import read_limited
from fairframe.verify.kind import Report
from fairframe.verify.registry import verify
from fairframe.verify.trust import Trust

HOLDS, FAILS, CANNOT = 0, 1, 2
MARKS = {True: "holds", False: "FAILS", None: "unseen"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every check holds, 1 when one does not, 2 when there was nothing to check."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a letter that a terminal's encoding lacks is no failed check
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        trust = Trust.load(options.trust)
        agreements = [read_limited(path, MAX_ENVELOPE_BYTES) for path in options.agreement]
        against = [read_limited(path, MAX_ENVELOPE_BYTES) for path in options.against]
        statements = [read_limited(path, MAX_ENVELOPE_BYTES) for path in options.statement]
        report = verify(options.target, trust, now_ms(), agreements, against, statements)
    except (FairframeError, OSError) as error:
        print(f"fairframe-verify: {plain(str(error))}", file=sys.stderr)
        return CANNOT
    lines = [json.dumps(_as_json(report, trust), indent=2)] if options.json else _as_text(report, trust)
    for line in lines:
        print(line)
    return HOLDS if report.holds else FAILS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fairframe-verify",
        description="Check a signed document or a delivery folder against parties that you trust.",
        epilog="Exit code: 0 when every check holds, 1 when one does not, 2 when the target cannot be read.",
    )
    parser.add_argument("target", type=Path, metavar="TARGET", help="a sealed document or a delivery folder")
    parser.add_argument(
        "--trust",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="a party document whose fingerprint you compared (may be given several times)",
    )
    parser.add_argument(
        "--agreement",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="a countersigned agreement to compare a statement with (may be given several times)",
    )
    parser.add_argument(
        "--statement",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="another statement of the same contributor, to see that they join (may be given several times)",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="a document that you kept, with an older head to compare a log proof with (may be given several times)",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    return parser


def _as_text(report: Report, trust: Trust) -> list[str]:
    lines = [f"trusting  {party.name} ({party.role})  {party.fingerprint}" for party in trust.parties.values()]
    lines += [f"{MARKS[finding.ok]:<8}  {finding.code:<28}  {finding.text}" for finding in report.findings]
    lines += [f"not shown {'':<28}  {text}" for text in report.cannot_show]
    return [plain(line) for line in [*lines, f"This {report.kind}: {report.outcome}."]]


def _as_json(report: Report, trust: Trust) -> dict[str, object]:
    return {
        "kind": report.kind,
        "holds": report.holds,
        "outcome": report.outcome,
        "findings": [{"ok": finding.ok, "code": finding.code, "text": finding.text} for finding in report.findings],
        "cannot_show": list(report.cannot_show),
        "trusting": {party.id: party.fingerprint for party in trust.parties.values()},
    }


if __name__ == "__main__":
    sys.exit(main())
