"""Films of a real delivery's miniature model are scored beside its held-out and training clips."""

from pathlib import Path
from typing import Any

import pytest

from fairframe.core.errors import NotFound
from fairframe.flows.report import report
from fairframe.flows.report_films import film_rows
from fairframe.generation.film_score import score_films


@pytest.mark.torch
def test_films_are_scored_beside_the_deliverys_clips(studio: Any, tmp_path: Path) -> None:
    text, short = studio.film(name="a.mp4"), studio.film(name="b.mp4", seconds="0.25")
    first, second = score_films(studio.lab, "harbor", [text.path, short.path])
    assert (first.output, second.output) == (text.output, short.output)
    assert (first.frames, second.frames, first.size) == (12, 6, 16)
    assert first.real_clips > 0 and first.training_clips > 0
    plain = first.to_json()
    assert {"flow", "warp_error", "sharpness", "histogram_drift", "similarity_8", "nearest"} <= set(plain["measures"])
    assert "similarity_8" not in second.measures, "a short film has no frames that far apart"
    assert all(one["low"] <= one["median"] <= one["high"] for one in plain["measures"].values())
    assert set(plain["outside"]) == {name for name, one in plain["measures"].items() if not one["inside"]}
    with studio.lab.read() as tx:
        from fairframe.dataset.loader import find_delivery, items_of

        splits = {one.id: one.split for one in items_of(tx, find_delivery(tx, "squares"))}
    assert splits[plain["nearest"]] == "train"
    rows = {measure: (value, real, verdict) for measure, value, real, verdict in film_rows(plain)}
    assert len(rows) == len(plain["measures"])
    value, real, verdict = rows["Motion (pixels per frame)"]
    one = plain["measures"]["flow"]
    assert (value, real) == (f"{one['value']:.2f}", f"{one['low']:.2f} to {one['high']:.2f}")
    assert (verdict == "within") is one["inside"]
    page = report(studio.lab)
    assert "Beside real clips, in numbers" in page and page.count(f"real {real}<") >= 1
    strange = tmp_path / "strange.mp4"
    strange.write_bytes(text.path.read_bytes() + b"\0")
    with pytest.raises(NotFound):
        score_films(studio.lab, "harbor", [strange])
