"""Consent in bulk, backdated noes, owners and terms from the command line: shown before, asked, told in JSON."""

from datetime import UTC, datetime

import pytest
from tests.rights.test_terms_and_holds import toml

from fairframe.core.time import DAY_MS, now_ms, to_rfc3339
from fairframe.flows.report import report
from fairframe.library import contributors
from fairframe.rights import consent
from fairframe.rights.tables import consent_event

from ..conftest import MACHINE_MS, SettableClock
from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)
from .conftest import Fairframe

ANA, BEN, CHEN = PEOPLE


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


@pytest.fixture
def clock() -> SettableClock:
    """Beside these workspaces the commands open their own, at the time of the machine."""
    return SettableClock(MACHINE_MS)


def events(loop: Loop) -> int:  # noqa: F811
    with loop.library.read() as tx:
        return len(tx.rows(consent_event.select()))


@pytest.mark.usefixtures("at_lab")
def test_many_words_are_shown_asked_and_said(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    bulk = ("-w", loop.library.root, "rights", "consents", ANA)
    said, before = (*bulk, "--deny", "research", "--match", "ana-*"), events(loop)
    looked = fairframe(*said, "--dry-run")
    assert looked.code == 0 and "2 words on 2 assets" in looked.out and "nothing was written" in looked.err
    for words in ("ana-1.mp4", "consent denied", "squares", "North Lab"):
        assert words in looked.out
    assert fairframe(*said, "--dry-run", "--json").data["takes_back"][0]["items"] == 4
    unasked = fairframe(*said)
    assert unasked.code == 1 and "input.confirm" in unasked.err and events(loop) == before
    done = fairframe(*said, "--yes", "--json")
    back = [one["items"] for one in done.data["revoked"]]
    assert (len(done.data["events"]), back, done.data["incident"]) == (2, [4], None)
    assert events(loop) == before + 2
    table = loop.tmp / "words.csv"
    table.write_text(
        "asset,effect,purpose,action,reason\nana-1.mp4,allow,evaluate,,\nana-2.mp4,deny,*,release_weights,\n"
    )
    assert fairframe(*bulk, "--csv", table, "--yes").code == 0 and events(loop) == before + 4
    table.write_text("asset,effect,purpose\nana-1.mp4,allow,evaluate\nben.mp4,deny,*\nana-2.mp4,no,*\n")
    wrong = fairframe(*bulk, "--csv", table, "--yes")
    assert wrong.code == 1 and "consent.bad_lines" in wrong.err and "line 3" in wrong.err and "line 4" in wrong.err
    assert events(loop) == before + 4
    assert "consent.nothing" in fairframe(*bulk, "--deny", "*", "--match", "ben*", "--yes").err
    for usage in (
        (),
        ("--allow", "*", "--deny", "*"),
        ("--csv", table, "--deny", "*"),
        ("--csv", table, "--min-side", 3),
    ):
        assert fairframe(*bulk, *usage).code == 2


@pytest.mark.usefixtures("at_lab")
def test_a_backdated_no_and_its_incident(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    root, past = loop.library.root, to_rfc3339(loop.library.clock() - DAY_MS)
    done = fairframe("-w", root, "rights", "consent", ANA, "--deny", "research", "--from", past, "--yes")
    assert done.code == 0 and "4 delivered items taken back" in done.out and "opened an incident" in done.err
    (case,) = fairframe("-w", root, "rights", "incidents", "list", "--json").data
    assert (case["contributor_name"], case["state"], case["answers"]) == (ANA, "open", "rights desk")
    told = fairframe("-w", root, "rights", "incidents", "show", case["public_id"])
    assert told.code == 0 and "released as" in told.out and "North Lab" in told.out
    found = fairframe("-w", root, "rights", "incidents", "show", case["public_id"], "--json").data
    assert found["in_spite"]["decided"][0]["items"] == 4
    assert fairframe("-w", root, "rights", "review", "list", "--json").data["incidents"] == [case]
    assert case["public_id"] in fairframe("-w", root, "rights", "review", "list").out
    assert "has to answer" in report(loop.library) and ANA in report(loop.library)
    settle = ("-w", root, "rights", "incidents", "resolve", case["public_id"], "--reason", "she was paid")
    assert fairframe(*settle).code == 2
    assert "incident.happened" in fairframe(*settle, "--nothing-happened", "--yes").err
    assert "input.confirm" in fairframe(*settle, "--settled").err
    assert "is settled" in fairframe(*settle, "--settled", "--by", "Rea", "--yes").out
    assert fairframe("-w", root, "rights", "incidents", "list", "--json").data == []
    assert fairframe("-w", root, "rights", "incidents", "list", "--all", "--json").data[0]["state"] == "settled"
    assert "no incident" in fairframe("-w", root, "rights", "incidents", "show", "inc_x").err
    overall = fairframe("-w", root, "rights", "opt-out", BEN, "--from", past, "--yes", "--json").data
    assert overall["incident"].startswith("inc_") and [one["items"] for one in overall["revoked"]] == [2]
    tomorrow = to_rfc3339(loop.library.clock() + DAY_MS)
    later = fairframe("-w", root, "rights", "opt-out", CHEN, "--from", tomorrow, "--yes")
    assert later.code == 0 and "0 delivered items" in later.out and "a day to come" in later.err
    assert "input.bad_time" in fairframe("-w", root, "rights", "opt-out", CHEN, "--from", "1961-01-01", "--yes").err


@pytest.mark.usefixtures("at_lab")
def test_owners_are_shown_asked_and_stated(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    owners = ("-w", loop.library.root, "library", "owners")
    order = (*owners, "set", "chen.mp4", "--owner", f"{CHEN}=2/3", "--owner", "Dee Silent=1/3")
    assert "contributor.missing" in fairframe(*order, "--yes").err
    looked = fairframe(*order, "--new", "--dry-run")
    assert looked.code == 0 and f"{CHEN} 2/3, Dee Silent 1/3" in looked.out and "squares" in looked.out
    assert "input.confirm" in fairframe(*order, "--new").err
    assert "2 delivered items taken back" in fairframe(*order, "--new", "--yes").out
    shown = fairframe(*owners, "show", "chen.mp4", "--json").data
    assert [one["share"] for one in shown["now"]["owners"]] == ["2/3", "1/3"] and len(shown["history"]) == 2
    assert "Dee Silent" in fairframe(*owners, "show", "chen.mp4").out
    table = loop.tmp / "owners.csv"
    table.write_text(f"asset,owner,share\nben.mp4,{BEN},1/2\nben.mp4,{CHEN},1/2\n")
    assert fairframe(*owners, "import", table, "--dry-run", "--json").data["changed"] == 1
    assert fairframe(*owners, "import", table, "--yes", "--json").data == {"assets": 1, "revoked": []}
    table.write_text(f"asset,owner,share\nben.mp4,{BEN},1/2\n")
    assert "owners.bad_lines" in fairframe(*owners, "import", table, "--yes").err


def test_terms_show_what_they_change_and_whom_they_bind(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    root, file = loop.library.root, loop.tmp / "terms.toml"
    today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
    file.write_bytes(toml("2026-01-01", "2026-03-01").replace(b'"research"', b'"evaluate"'))
    add = ("-w", root, "rights", "terms", "add", file, "--tell", ANA, "--tell", BEN)
    looked = fairframe(*add, "--dry-run")
    assert looked.code == 0 and "gained" in looked.out and "nothing was written" in looked.err
    assert "nobody was told" in fairframe("-w", root, "rights", "terms", "add", file, "--dry-run").out
    assert "input.confirm" in fairframe(*add).err
    assert fairframe("-w", root, "rights", "terms", "list", "--json").data == []
    assert "2 contributors told" in fairframe(*add, "--yes").out
    show = ("-w", root, "rights", "terms", "show", "contributors")
    data = fairframe(*show, "--version", 1, "--json").data
    assert (data["told"], data["not_told"], data["untold"][0]["name"], data["in_effect"]) == (2, 1, CHEN, True)
    assert today.year >= 2026 and f"not told, so not bound by it: {CHEN}" in fairframe(*show).out
    later = fairframe("-w", root, "rights", "terms", "add", file, "--tell", CHEN, "--noticed", today.isoformat())
    assert later.code == 0, later.err
    data = fairframe(*show, "--json").data
    assert (data["told"], data["late"], data["not_told"]) == (3, 1, 0)
    with loop.library.write() as tx:
        consent.set(tx, contributor=contributors.find(tx, ANA), effect="deny", purpose="evaluate")
    assert fairframe(*show, "--json").data["objected"] == 0, "its window is over"
