"""Document releases: what their words say, one by one and by a table; nobody's name outside of a commitment."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.library.test_library import put

from fairframe.core.errors import Conflict, InputError
from fairframe.core.territory import Territory
from fairframe.core.time import DAY_MS
from fairframe.library import release_list, release_table, releases
from fairframe.library.release_words import Words
from fairframe.platform.tables import audit_entry, disclosure
from fairframe.rights.papers import within

PAPER = b"%PDF-1.7 I agree"


def test_what_a_release_says_is_kept_and_the_guardian_only_as_a_commitment(library, clock):
    until = clock.now + 400 * DAY_MS
    with library.write() as tx:
        row = put(tx)
        said = {"territory": Territory.parse("us,ca"), "until_ms": until, "minor": True, "guardian": " Rosa  Duarte"}
        paper = releases.add(tx, row, "model", PAPER, True, **said)
        assert releases.add(tx, row, "model", PAPER, True, **said)["id"] == paper["id"]
        assert (paper["territory"], paper["valid_until_ms"], paper["minor"]) == ("CA,US", until, True)
        for other in ({"territory": Territory.parse("US")}, {"until_ms": until + 1}, {"guardian": ""}):
            with pytest.raises(Conflict, match="otherwise"):
                releases.add(tx, row, "model", PAPER, True, **said | other)
    with library.read() as tx:
        entry = tx.rows(audit_entry.select().where(audit_entry.c.kind == "release.added"))[0]
        assert "Duarte" not in str(dict(entry)) and "Duarte" not in str(dict(paper))
        opened = tx.rows(disclosure.select().where(disclosure.c.field == "guardian"))
        assert [one["value"] for one in opened] == ["Rosa Duarte"]


@pytest.mark.parametrize(
    "words",
    [
        {"kind": "pet"},
        {"kind": "property", "minor": True},
        {"guardian": "Rosa"},
        {"minor": True, "guardian": "\u202eRosa"},
        {"from_ms": 10, "until_ms": 10},
        {"until_ms": 0},
        {"territory": Territory(frozenset())},
    ],
)
def test_words_that_contradict_themselves(library, words):
    given = {"kind": "model"} | words
    with library.write() as tx, pytest.raises(InputError):
        releases.add(tx, put(tx), given.pop("kind"), PAPER, True, **given)


def test_a_release_of_another_day_can_be_revoked_and_is_listed(library, clock):
    with library.write() as tx:
        row = put(tx)
        later = releases.add(tx, row, "model", PAPER, True, from_ms=clock.now + DAY_MS)
        ended = releases.add(tx, row, "property", PAPER, False, from_ms=1, until_ms=clock.now)
        held = releases.add(tx, put(tx, filename="b.mp4", content="bb"), "model", PAPER, True)
        assert releases.current(tx, row["id"]) == [ended]
        states = {one.row["public_id"]: one.state for one in release_list.listing(tx)}
        names = {paper["public_id"] for paper in (later, ended, held)}
        assert states == dict(zip((p["public_id"] for p in (later, ended, held)), ("not yet", "ended", "in force")))
        assert len(release_list.listing(tx, asset_row=row)) == 2
        after = release_list.listing(tx, after=later["public_id"], limit=1)
        assert [one.row["public_id"] for one in after] == [ended["public_id"]]
        releases.revoke(tx, later, row)
    with library.write() as tx:
        papers = release_list.of_document(tx, later["document_hash"])
        assert {paper["public_id"] for paper, _ in papers} == names - {later["public_id"]}
        releases.revoke_many(tx, papers)
        listed = release_list.listing(tx, document=later["document_hash"])
        assert {one.state for one in listed} == {"revoked"} and len(listed) == 3


HEAD = "asset,document,kind,ai_training,territory,from,until,minor,guardian\n"


def table(folder: Path, *lines: str) -> Path:
    (folder / "papers").mkdir(exist_ok=True)
    (folder / "papers" / "ana.pdf").write_bytes(PAPER)
    path = folder / "releases.csv"
    path.write_text(HEAD + "".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_table_puts_one_document_on_many_assets(library, tmp_path):
    path = table(
        tmp_path,
        'a.mp4,papers/ana.pdf,model,yes,"US,CA",2026-01-01,2030-01-01,yes,Rosa Duarte',
        "b.mp4,papers/ana.pdf,Model,YES,,,,,",
        "b.mp4,papers/ana.pdf,model,yes,world,,,no,",
        "b.mp4,papers/ana.pdf,property,no,,,,,",
    )
    with library.write() as tx:
        put(tx)
        put(tx, filename="b.mp4", content="bb")
        planned = release_table.plan(tx, path)
        assert (len(planned.papers), planned.new, planned.problems) == (4, 4, ())
        assert release_table.take(tx, planned) == 3, "two lines say the same"
    with library.write() as tx:
        again = release_table.plan(tx, path)
        assert again.new == 0 and release_table.take(tx, again) == 0
        rows = [one.row for one in release_list.listing(tx)]
        assert [(r["filename"], r["kind"], r["territory"], r["minor"], r["guardian"]) for r in rows] == [
            ("a.mp4", "model", "CA,US", True, True),
            ("b.mp4", "model", "world", False, False),
            ("b.mp4", "property", "world", False, False),
        ]
        table(tmp_path, "b.mp4,papers/ana.pdf,model,no,,,,,")
        assert [error.code for _, error in release_table.plan(tx, path).problems] == ["release.differs"]


def test_a_table_never_brings_back_what_was_revoked(library, tmp_path, clock):
    path = table(tmp_path, "a.mp4,papers/ana.pdf,model,yes,,,,,")
    with library.write() as tx:
        row = put(tx)
        early = release_table.plan(tx, path)
        release_table.take(tx, early)
    clock.advance(1000)
    with library.write() as tx:
        releases.revoke(tx, releases.current(tx, row["id"])[0], row)
    clock.advance(1000)
    with library.write() as tx:
        planned = release_table.plan(tx, path)
        assert [(planned.new, error.code) for _, error in planned.problems] == [(1, "release.revoked")]
        for plan in (planned, early):
            with pytest.raises(Conflict, match="was revoked"):
                release_table.take(tx, plan)
        assert releases.current(tx, row["id"]) == []
        other = table(tmp_path, "a.mp4,papers/ana.pdf,property,yes,,,,,")
        assert release_table.take(tx, release_table.plan(tx, other)) == 1, "as a paper of another kind it is another"


BAD = {
    "c.mp4,papers/ana.pdf,model,yes,,,,,": "asset.missing",
    "a.mp4,../secret.pdf,model,yes,,,,,": "input.bad_release",
    "a.mp4,/etc/passwd,model,yes,,,,,": "input.bad_release",
    "a.mp4,papers/link.pdf,model,yes,,,,,": "input.bad_release",
    "a.mp4,papers/pipe,model,yes,,,,,": "input.bad_release",
    "a.mp4,papers,model,yes,,,,,": "input.bad_release",
    "a.mp4,papers/huge.pdf,model,yes,,,,,": "input.bad_release",
    "a.mp4,papers/film.bin,model,yes,,,,,": "input.bad_release",
    "a.mp4,,model,yes,,,,,": "input.bad_release",
    "a.mp4,papers/ana.pdf,pet,yes,,,,,": "input.bad_release",
    "a.mp4,papers/ana.pdf,model,perhaps,,,,,": "input.bad_row",
    "a.mp4,papers/ana.pdf,model,yes,Utopia,,,,": "input.bad_territory",
    "a.mp4,papers/ana.pdf,model,yes,,soon,,,": "input.bad_time",
    "a.mp4,papers/ana.pdf,model,yes,US,CA,,,,": "input.bad_row",
    "a.mp4,papers/ana.pdf,model,yes": "input.bad_row",
}


@pytest.mark.parametrize(("line", "code"), BAD.items())
def test_a_table_is_taken_whole_or_not_at_all(library, tmp_path, line, code):
    folder = tmp_path / "table"
    folder.mkdir()
    path = table(folder, "a.mp4,papers/ana.pdf,model,yes,,,,,", line)
    (tmp_path / "secret.pdf").write_bytes(PAPER)
    (folder / "papers" / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (folder / "papers" / "film.bin").write_bytes(b"\x00\x01")
    os.mkfifo(folder / "papers" / "pipe")
    with (folder / "papers" / "huge.pdf").open("wb") as stream:
        stream.write(PAPER)
        stream.truncate(releases.MAX_BYTES + 1)
    with library.write() as tx:
        row = put(tx)
        planned = release_table.plan(tx, path)
        assert [(number, error.code) for number, error in planned.problems] == [(3, code)]
        with pytest.raises(InputError):
            release_table.take(tx, planned)
        assert releases.history(tx, row["id"]) == []


def test_a_document_that_changes_after_the_preview_is_refused(library, tmp_path):
    path = table(tmp_path, "a.mp4,papers/ana.pdf,model,yes,,,,,")
    with library.write() as tx:
        put(tx)
        planned = release_table.plan(tx, path)
        (tmp_path / "papers" / "ana.pdf").write_bytes(PAPER + b" not")
        with pytest.raises(Conflict, match="changed"):
            release_table.take(tx, planned)


def test_a_column_that_is_not_known_refuses_the_table(library, tmp_path):
    path = tmp_path / "releases.csv"
    path.write_text("asset,document,kind,ai_training,teritory\n", encoding="utf-8")
    with library.read() as tx, pytest.raises(InputError, match="teritory"):
        release_table.plan(tx, path)


codes = st.lists(st.sampled_from(["US", "CA", "DE", "FR"]), min_size=1, unique=True).map(lambda some: ",".join(some))
territories = st.one_of(st.just("world"), codes)


@given(inner=territories, outer=territories)
def test_one_territory_in_another_is_as_the_type_says(inner, outer):
    assert within(inner, outer) == Territory.parse(outer).contains(Territory.parse(inner))


def test_words_default_to_the_world_without_an_end():
    words = Words("model", True)
    assert (str(words.territory), words.until_ms, words.minor, words.guardian) == ("world", None, False, "")
