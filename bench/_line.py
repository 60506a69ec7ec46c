"""The one line in which every bench states a claim. Tables for people go to standard error."""

import json


def claim(bench: str, value: float, unit: str, against: float, ratio: float, bar: float, ok: bool) -> bool:
    """Print a claim as one line of JSON; returns ok.

    value, against: what was measured and what it stands beside, in `unit`, in the same run; ratio: how many times
    better (of two values in dB: how many dB better); bar: the least ratio that is claimed.
    """
    line = {"bench": bench, "value": value, "unit": unit, "against": against, "ratio": ratio, "bar": bar, "ok": ok}
    print(json.dumps(line), flush=True)
    return ok
