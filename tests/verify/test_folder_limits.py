"""What a hostile folder can cost its verifier is bounded: sparse files are not read, nor strays without end listed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.canonical import canonical
from fairframe.verify import items, kind
from fairframe.verify.models import MAX_MODEL_BYTES

from .test_films import model

Failing = Callable[[Any], set[str]]


def test_a_sparse_file_of_any_length_is_not_read(world: Any, ids: Any, failing: Failing) -> None:
    folder = model(world, ids)
    with (folder / "vae" / "weights").open("r+b") as stream:
        stream.truncate(MAX_MODEL_BYTES)  # this alone would be hashed for minutes
    report = world.check(folder)
    assert failing(report) == {"model.too_large"}
    assert "nothing was hashed" in next(one.text for one in report.findings if one.ok is False)


def test_a_folder_full_of_strays_is_not_looked_through(
    world: Any, ids: Any, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "MAX_STRAYS", 3)
    folder = model(world, ids)
    for number in range(3):
        (folder / "vae" / f"stray-{number}").mkdir()
        (folder / "vae" / f"stray-{number}" / "weights").write_bytes(b"")
    shown = [one.text for one in world.check(folder).findings if one.ok is False]
    assert shown == [f"'vae/stray-{number}' is not in the signed list" for number in range(3)]
    (folder / "more").write_bytes(b"")
    report = world.check(folder)
    assert failing(report) == {"model.extra"}
    assert "more than 3 things" in next(one.text for one in report.findings if one.ok is False)


def test_the_items_of_a_delivery_are_read_up_to_their_signed_length(
    world: Any, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = world.deliver()
    signed = (folder / "items.jsonl").stat().st_size
    long = [canonical(item | {"caption": "x" * 16_000}) for item in world.items()]
    (folder / "items.jsonl").write_bytes(b"\n".join(long) + b"\n")
    read: list[int] = []
    seen = items.leaf_hash
    monkeypatch.setattr(items, "leaf_hash", lambda line: (read.append(len(line)), seen(line))[1])
    assert failing(world.check(folder)) >= {"items.size", "items.digest", "items.root", "items.count"}
    assert len(read) == 1 and read[0] > signed, "the first line is already longer than what was signed"


def test_strays_in_a_delivery(world: Any, failing: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "MAX_STRAYS", 3)
    folder: Path = world.deliver()
    for number in range(4):
        (folder / "clips" / f"stray-{number}").write_bytes(b"")
    report = world.check(folder)
    assert failing(report) == {"files.extra"}
    assert ["more than 3 things" in one.text for one in report.findings if one.ok is False] == [True]
