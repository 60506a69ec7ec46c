"""Scores from outside: hostile files, what a set says of an agreement, and which set holds for a receipt."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.errors import FairframeError, InputError, Refused
from fairframe.core.money import MICRO
from fairframe.rights.pseudonyms import pseudonym
from fairframe.royalties import allocate, scores, scores_file
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.tables import allocation, score, score_set

from .test_allocate import owed

SPANS = [("ann-1", 0, 3_000), ("bob-1", 0, 1_000), ("cyd-1", 0, 500)]


def written(folder: Path, text: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(text, "utf-8")
    return path


def taken_in(world: Any, folder: Path, deal: str, text: str, valid_from_ms: int | None = None) -> Any:
    file = scores_file.read(written(folder, text))
    with world.ws.write() as tx:
        found = scores_file.resolve(tx, find_agreement(tx, deal), file)
        return scores.add(tx, deal, found.scores, file.sha256, "Dana", valid_from_ms)


@pytest.fixture
def deal(world: Any) -> str:
    with world.ws.write() as tx:
        found: str = world.agree(tx, basis="scores")
        world.deliver(tx, found, SPANS)
        world.clip(tx, "dot-1")
    return found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("asset,score\nann-1.mp4,1.5\n", "line 2: '1.5' is no whole number"),
        ("asset,score\nann-1.mp4,-1\n", "'-1' is no whole number"),
        ("asset,score\nann-1.mp4,1000000000001\n", "from 0 to 1000000000000"),
        ("asset,score\nann-1.mp4,٣\n", "is no whole number"),
        ("asset,score\nann-1.mp4,\n", "'' is no whole number"),
        ("asset,score\nann-1.mp4\n", "needs an asset and a score"),
        ("asset,score\nann-1.mp4,1\nbob-1.mp4,1,1\n", "line 3: it needs"),
        ("asset,score\nann-1.mp4,1\nann-1.mp4,2\n", "line 3: 'ann-1.mp4' is scored already, on line 2"),
        ('asset,score\n"=cmd|/c calc",1\n', "line 2: '=cmd|/c calc' names no asset"),
        ("asset,score\npsn_00000000000000000000000000,1\n", "names no asset"),
        ("asset,score,x\nann-1.mp4,1,2\n", "3 columns"),
        ("asset\nann-1.mp4\n", "no column score"),
        ("asset,score\n", "scores no asset"),
        ("asset,score\nann\x00,1\n", "NUL"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_is_used_whole_or_not_at_all(world: Any, deal: str, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FairframeError) as caught:
        taken_in(world, tmp_path, deal, text)
    assert said in " ".join([str(caught.value), *getattr(caught.value, "reasons", [])])
    with world.ws.read() as tx:
        assert not tx.rows(score_set.select())


def test_an_asset_is_named_by_id_filename_or_delivered_pseudonym(world: Any, deal: str, tmp_path: Path) -> None:
    with world.ws.read() as tx:
        family = find_agreement(tx, deal)["family"]
    secret = world.ws.keys.library_secret()
    name = pseudonym(secret, family, world.assets["cyd-1"]["public_id"])
    text = f"score,asset\n5,{world.assets['ann-1']['public_id']}\n7,bob-1.mp4\n9,{name}\n1,dot-1.mp4\n"
    file = scores_file.read(written(tmp_path, text))
    assert file.sha256 == hashlib.sha256(text.encode()).hexdigest()
    with world.ws.read() as tx:
        found = scores_file.resolve(tx, find_agreement(tx, deal), file)
        points = {"ann": 5, "bob": 7, "cyd": 9, "dot": 1}
        assert found.scores == {world.assets[f"{who}-1"]["id"]: n for who, n in points.items()}
        assert (found.delivered, found.unscored, found.waiting, found.total) == (3, 0, 1, 22)
        twice = scores_file.read(written(tmp_path, f"asset,score\ncyd-1.mp4,1\n{name},2\n"))
        with pytest.raises(Refused, match="1 lines"):
            scores_file.resolve(tx, find_agreement(tx, deal), twice)


def test_the_set_that_holds_at_the_receipt_decides(world: Any, deal: str, tmp_path: Path, clock: Any) -> None:
    with world.ws.write() as tx:
        world.book(tx, deal, "10.00", "before")
    assert allocate.allocate(world.ws) == []
    with world.ws.read() as tx:
        assert "no scores hold" in allocate.pending(tx)[0].pending
    clock.advance(1_000)
    first = taken_in(world, tmp_path, deal, "asset,score\nann-1.mp4,3\nbob-1.mp4,1\ndot-1.mp4,50\n")
    assert allocate.allocate(world.ws) == []  # it holds from now on, and the receipt was before
    with world.ws.write() as tx:
        world.book(tx, deal, "10.00", "after")
    assert len(allocate.allocate(world.ws)) == 1
    assert owed(world) == {"ann": 150 * MICRO, "bob": 50 * MICRO}
    with world.ws.read() as tx:
        row = tx.rows(allocation.select())[0]
    assert row["detail"]["scores"] == {"set": first["public_id"], "file_sha256": first["file_sha256"]}
    assert (row["method"], row["weight_total"]) == ("scores", 4)
    clock.advance(1_000)
    second = taken_in(world, tmp_path, deal, "asset,score\ncyd-1.mp4,1\n", valid_from_ms=0)
    assert second["valid_from_ms"] == 0
    assert len(allocate.allocate(world.ws)) == 1  # now one holds at the first receipt
    assert owed(world) == {"ann": 150 * MICRO, "bob": 50 * MICRO, "cyd": 200 * MICRO}
    with world.ws.read() as tx:
        held = scores.holding(tx, [deal], tx.now_ms)
        assert held is not None and held["public_id"] == first["public_id"]


def test_the_same_file_once_more_changes_nothing(world: Any, deal: str, tmp_path: Path, clock: Any) -> None:
    one, other = "asset,score\nann-1.mp4,3\n", "asset,score\nbob-1.mp4,3\n"
    first = taken_in(world, tmp_path, deal, one)
    clock.advance(10)
    assert taken_in(world, tmp_path, deal, one)["public_id"] == first["public_id"]
    taken_in(world, tmp_path, deal, other)
    clock.advance(10)
    again = taken_in(world, tmp_path, deal, one)
    assert again["public_id"] != first["public_id"]
    with world.ws.read() as tx:
        held = scores.holding(tx, [deal], tx.now_ms)
        assert held is not None and held["public_id"] == again["public_id"]
        assert [dict(scores.of_set(tx, row["id"])) for row in scores.listing(tx, [deal])] == [
            {world.assets["ann-1"]["id"]: 3},
            {world.assets["bob-1"]["id"]: 3},
            {world.assets["ann-1"]["id"]: 3},
        ]
        assert len(tx.rows(score.select())) == 3


def test_who_hands_them_in_is_said_and_stays_in_the_library(world: Any, deal: str, tmp_path: Path) -> None:
    from fairframe.platform.tables import audit_entry

    row = taken_in(world, tmp_path, deal, "asset,score\nann-1.mp4,3\n")
    assert row["imported_by"] == "Dana"
    with world.ws.write() as tx:
        said = [one["body"] for one in tx.rows(audit_entry.select().where(audit_entry.c.kind == "scores.imported"))]
        assert len(said) == 1 and row["file_sha256"] in str(said[0]) and "Dana" not in str(said[0])
        for by in ("", " ", "a\nb", "x" * 201):
            with pytest.raises(InputError, match="who"):
                scores.add(tx, deal, {1: 1}, "0" * 64, by)
        for bad in ({}, {1: -1}, {1: scores.MAX_SCORE + 1}):
            with pytest.raises(InputError, match="whole numbers"):
                scores.add(tx, deal, bad, "0" * 64, "Dana")
