"""The review queue from the command line: what waits, a ruling shown and asked for, bulk, an appeal."""

from pathlib import Path

import pytest
from tests.rights.test_recheck import Scene, add_asset, scene  # noqa: F401  (fixture)

from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.library import facts
from fairframe.rights import holds

from ..conftest import SettableClock
from .conftest import Fairframe


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


def unknown(scene: Scene) -> Path:  # noqa: F811
    with scene.ws.write() as tx:
        for row in scene.assets[:3]:
            facts.say(tx, row, "people", "unknown")
    return scene.ws.root


def test_from_the_queue_to_a_ruling(scene: Scene, fairframe: Fairframe) -> None:  # noqa: F811
    root = unknown(scene)
    review = ("-w", root, "rights", "review")
    told = fairframe(*review, "list", "--json").data
    assert (told["total"], told["counts"]) == (3, {"people_unknown": 3})
    page = fairframe(*review, "list", "--limit", 1, "--contributor", "Ada Quist", "--json").data
    assert [one["file"] for one in page["assets"]] == ["0.mp4"] and page["next"] == page["assets"][0]["id"]
    assert "3 assets wait for a person" in fairframe(*review, "list").out
    shown = fairframe(*review, "show", "0.mp4", "--json").data
    assert shown["findings"][0]["code"] == "people_unknown" and shown["findings"][0]["can_be_allowed"]

    order = (*review, "rule", "0.mp4", "people_unknown", "--allow", "--reason", "an empty harbor")
    unasked = fairframe(*order)
    assert unasked.code == 1 and "input.confirm" in unasked.err and scene.agreement.public_id in unasked.out
    assert fairframe(*review, "show", "0.mp4", "--json").data["rulings"] == []
    assert fairframe(*order, "--expires", "2001-01-01", "--yes").code == 1
    done = fairframe(*order, "--by", "Rea Viewer", "--yes")
    assert done.code == 0, done.err
    assert fairframe(*review, "show", "0.mp4", "--json").data["findings"][0]["outcome"] == "ALLOW"
    assert "an empty harbor" in fairframe(*review, "show", "0.mp4").out

    refused = fairframe(*review, "rule", "1.mp4", "opted_out", "--allow", "--reason", "x", "--yes")
    assert refused.code == 1 and "ruling.not_rulable" in refused.err and "overall yes" in refused.err
    assert fairframe(*review, "rule", "1.mp4", "people_unknown", "--reason", "x", "--yes").code == 2

    rest = fairframe(*review, "bulk", "people_unknown", "--deny", "--reason", "crowds", "--yes", "--json")
    assert len(rest.data["rulings"]) == 2 and rest.data["changes"][0]["after"] == {"ALLOW": 0, "REVIEW": 0, "DENY": 2}
    none = fairframe(*review, "bulk", "signal_untrusted", "--allow", "--reason", "x", "--yes")
    assert none.code == 1 and "ruling.nothing" in none.err
    counts = fairframe("-w", root, "rights", "clear", scene.agreement.public_id, "--json").data["counts"]
    assert counts == {"ALLOW": 2, "REVIEW": 0, "DENY": 2}


def test_an_appeal_goes_through_the_queue(scene: Scene, fairframe: Fairframe) -> None:  # noqa: F811
    with scene.ws.write() as tx:
        hold = holds.place(tx, scene.assets[0], code="dispute", reason="Bo says it is his")
    root = scene.ws.root
    review = ("-w", root, "rights", "review")
    lodged = fairframe(
        "-w", root, "rights", "hold", "appeal", hold, "--contributor", "Ada Quist", "--reason", "I filmed it"
    )
    assert lodged.code == 0, lodged.err
    case = fairframe(*review, "list", "--json").data["appeals"][0]
    assert (case["hold"], case["state"], case["reason"]) == (hold, "open", "I filmed it")
    assert "I filmed it" in fairframe(*review, "list").out
    assert fairframe(*review, "settle", case["public_id"], "--reason", "x").code == 2
    assert fairframe(*review, "settle", case["public_id"], "--lift", "--reason", "it is hers").code == 0
    assert fairframe(*review, "appeals", "--json").data == []
    assert fairframe(*review, "appeals", "--all", "--json").data[0]["state"] == "lifted"
    assert fairframe("-w", root, "rights", "hold", "list", "--json").data == []


def test_another_day_can_be_asked(scene: Scene, fairframe: Fairframe, clock: SettableClock) -> None:  # noqa: F811
    first = clock.now
    clock.advance(DAY_MS)
    with scene.ws.write() as tx:
        facts.say(tx, scene.assets[0], "editorial", "yes")
        late = add_asset(tx, scene.ada, "late.mp4")["public_id"]
    root, deal, then = scene.ws.root, scene.agreement.public_id, to_rfc3339(first)
    clear = ("-w", root, "rights", "clear", deal)
    assert fairframe(*clear, "--json").data["counts"] == {"ALLOW": 4, "REVIEW": 0, "DENY": 1}
    old = fairframe(*clear, "--known-at", then, "--json").data
    assert (old["counts"]["ALLOW"], old["as_of"], old["agreement_state"]) == (4, then, "active")
    assert fairframe(*clear, "--as-of", "2001-01-01", "--json").data["counts"]["ALLOW"] == 0
    assert "as known at" in fairframe(*clear, "--known-at", then).out
    one = fairframe(*clear, "--explain", "0.mp4", "--as-of", then, "--json").data
    assert (one["outcome"], one["as_of"]) == ("ALLOW", then)
    assert fairframe(*clear, "--explain", "0.mp4", "--json").data["outcome"] == "DENY"
    for order in ((*clear, "--explain", late), ("-w", root, "library", "show", late)):
        assert "asset.not_yet" in fairframe(*order, "--known-at", then).err
    show = ("-w", root, "library", "show", "0.mp4", "--json")
    assert fairframe(*show).data["facts"]["editorial"] == "yes"
    assert fairframe(*show, "--as-of", then).data["facts"]["editorial"] == "no"
    assert len(fairframe(*show, "--known-at", then).data["history"]) + 1 == len(fairframe(*show).data["history"])
    assert fairframe(*clear, "--as-of", "someday").code == 1
