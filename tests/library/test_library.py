"""Contributors, collections, facts, document releases: append-only, found again, in the audit tree."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import Conflict, FairframeError, InputError, NotFound
from fairframe.core.timecode import Rate
from fairframe.library import assets, collections, contributors, facts, releases, search
from fairframe.library.metadata import Described
from fairframe.library.show import show
from fairframe.library.tables import collection
from fairframe.media.probe import Probe
from fairframe.platform.tables import audit_entry, disclosure

PROBE = Probe(
    container="mov",
    codec="h264",
    width=640,
    height=360,
    rotation=0,
    mirrored=False,
    fps=Rate(24, 1),
    vfr=False,
    duration_ms=2000,
    frames=48,
    checked_frames=48,
    bit_depth=8,
    pixel_format="yuv420p",
    transfer="sdr",
    audio=False,
    video_streams=1,
    location_metadata=False,
)
UNKNOWN = dict.fromkeys(facts.VALUES, "unknown")


def put(tx, name="Ana", filename="a.mp4", content="aa", **described):
    described = {"facts": UNKNOWN, **described}
    opened = assets.Opened(content * 32, 1000, PROBE, None, ())
    return assets.add(tx, contributors.ensure(tx, name), Described(filename, **described), opened)


def entries(tx, kind):
    return tx.rows(audit_entry.select().where(audit_entry.c.kind == kind).order_by(audit_entry.c.seq))


def test_a_contributor_is_one_whatever_the_spacing(library):
    with library.write() as tx:
        first = contributors.ensure(tx, "Ana  Duarte ")
        assert contributors.ensure(tx, "Ana Duarte")["id"] == first["id"]
        assert contributors.ensure(tx, first["public_id"])["id"] == first["id"]
        assert contributors.find(tx, " Ana Duarte")["id"] == first["id"]
        assert contributors.ensure(tx, "ana duarte")["id"] != first["id"]
        with pytest.raises(NotFound):
            contributors.find(tx, "Bo")
        with pytest.raises(NotFound):
            contributors.ensure(tx, "ctr_00000000000000000000000000")


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b", "a\u202eb", "\ud800"])
def test_names_that_nobody_has(library, name):
    with library.write() as tx, pytest.raises(InputError):
        contributors.ensure(tx, name)


def test_a_joiner_is_part_of_a_name(library):
    with library.write() as tx:
        assert contributors.ensure(tx, "علی\u200cرضا")["name"] == "علی\u200cرضا"


def test_names_of_people_and_files_enter_the_tree_as_commitments_only(library):
    with library.write() as tx:
        put(tx, "Ana Duarte", "ana at home.mp4")
    with library.read() as tx:
        bodies = "".join(tx.conn.execute(sa.select(audit_entry.c.body)).scalars())
        assert "Ana" not in bodies and "ana at home" not in bodies
        assert {"Ana Duarte", "ana at home.mp4"} <= set(tx.conn.execute(sa.select(disclosure.c.value)).scalars())


def test_an_asset_is_added_whole(library):
    with library.write() as tx:
        row = put(tx, facts={**UNKNOWN, "people": "yes"}, keywords=("sea",), extra={"x": "=1"})
        assert facts.current(tx, row["id"]) == {**UNKNOWN, "people": "yes"}
        shown = show(tx, row["public_id"])
        assert shown.owners == [(shown.contributor["public_id"], "1/1")]
        assert shown.asset["keywords"] == ["sea"] and shown.asset["extra"] == {"x": "=1"}
        assert [said.origin for said in shown.history] == ["metadata"] * 4
    with library.read() as tx:
        (entry,) = entries(tx, "asset.added")
        assert entry["subject"] == row["public_id"] and '"people":"yes"' in entry["body"]
        assert not entries(tx, "asset.fact")


def test_the_same_content_of_a_contributor_cannot_be_added_twice(library):
    with library.write() as tx:
        put(tx)
    with pytest.raises(sa.exc.IntegrityError):
        with library.write() as tx:
            put(tx, filename="b.mp4")
    with library.read() as tx:
        assert len(search.listing(tx).rows) == 1


def test_metadata_again_appends_what_changed_and_never_undoes_a_person(library, clock):
    with library.write() as tx:
        row = put(tx, facts={**UNKNOWN, "people": "yes"})
    clock.advance(1000)
    with library.write() as tx:
        assert facts.say_from_metadata(tx, row, {**UNKNOWN, "people": "yes"}) == []
        facts.say(tx, row, "people", "no")
    clock.advance(1000)
    with library.write() as tx:
        assert facts.say_from_metadata(tx, row, {**UNKNOWN, "people": "yes"}) == []
        assert facts.current(tx, row["id"])["people"] == "no"
        assert facts.say_from_metadata(tx, row, {**UNKNOWN, "people": "unknown"}) == ["people"]
        assert facts.current(tx, row["id"])["people"] == "unknown"
        assert [s.value for s in facts.history(tx, row["id"]) if s.name == "people"] == ["yes", "no", "unknown"]


def test_a_fact_holds_from_its_time_and_the_past_stays_answerable(library, clock):
    start = clock.now
    with library.write() as tx:
        row = put(tx)
    clock.advance(10_000)
    with library.write() as tx:
        facts.say(tx, row, "editorial", "yes", valid_from_ms=clock.now + 5000)
        facts.say(tx, row, "people", "no", valid_from_ms=start)
        assert facts.current(tx, row["id"])["editorial"] == "unknown"
        assert facts.current(tx, row["id"], at_ms=clock.now + 5000)["editorial"] == "yes"
        assert facts.current(tx, row["id"], at_ms=start)["people"] == "no"
        assert facts.current(tx, row["id"], at_ms=start, known_at_ms=clock.now - 1)["people"] == "unknown"
        for name, value in (("people", "perhaps"), ("weather", "yes")):
            with pytest.raises(InputError):
                facts.say(tx, row, name, value)


row_values = st.builds(
    dict,
    id=st.integers(1, 10**6),
    name=st.sampled_from("ab"),
    valid_from_ms=st.integers(0, 5),
    recorded_at_ms=st.integers(0, 5),
)


@given(st.lists(row_values, max_size=12, unique_by=lambda row: row["id"]), st.integers(0, 5), st.integers(0, 5))
def test_as_of_is_the_latest_of_what_counts(rows, at, known):
    held = facts.as_of(rows, at, known_at_ms=known)
    for name in "ab":
        counts = [
            row for row in rows if row["name"] == name and row["valid_from_ms"] <= at and row["recorded_at_ms"] <= known
        ]
        expected = max(counts, key=lambda row: (row["valid_from_ms"], row["recorded_at_ms"], row["id"]), default=None)
        assert held.get(name) == expected
    assert facts.as_of(reversed(rows), at, known_at_ms=known) == held


def test_collections_are_made_in_one_order_whatever_the_metadata_says(library):
    """Else two that take footage in at once wait for each other's on PostgreSQL."""
    with library.write() as tx:
        row = put(tx)
        assert collections.put(tx, assets.owner(tx, row), row, ["Sky", "Sea", "Rain"]) == 3
        assert [one["name"] for one in tx.rows(collection.select().order_by(collection.c.id))] == ["Rain", "Sea", "Sky"]


def test_collections_hold_a_contributors_own_assets(library):
    with library.write() as tx:
        row = put(tx)
        ana, bo = assets.owner(tx, row), contributors.ensure(tx, "Bo")
        sea = collections.ensure(tx, ana, "Sea")
        assert collections.ensure(tx, ana, " Sea ")["id"] == sea["id"]
        assert collections.add(tx, sea, row) is True
        assert collections.add(tx, sea, row) is False
        assert [c["name"] for c in collections.of_asset(tx, row["id"])] == ["Sea"]
        assert collections.find(tx, "Sea")["id"] == collections.find(tx, sea["public_id"])["id"] == sea["id"]
        other = collections.ensure(tx, bo, "Sea")
        with pytest.raises(InputError):
            collections.add(tx, other, row)
        with pytest.raises(Conflict):
            collections.find(tx, "Sea")
        assert collections.find(tx, "Sea", bo)["id"] == other["id"]
        assert len(search.listing(tx, collection_row=sea).rows) == 1
        assert not search.listing(tx, collection_row=other).rows


def test_a_release_is_kept_once_and_ended_by_another_row(library, clock):
    with library.write() as tx:
        row = put(tx)
        paper = releases.add(tx, row, "model", b"%PDF-1.7 I agree", True)
        assert releases.add(tx, row, "model", b"%PDF-1.7 I agree", True)["id"] == paper["id"]
        assert library.objects.read(paper["document_hash"]) == b"%PDF-1.7 I agree"
        with pytest.raises(Conflict):
            releases.add(tx, row, "model", b"%PDF-1.7 I agree", False)
    clock.advance(1000)
    with library.write() as tx:
        releases.revoke(tx, paper, row)
        assert releases.current(tx, row["id"]) == []
        assert len(releases.history(tx, row["id"])) == 2
        was = releases.in_force(releases.history(tx, row["id"]), clock.now - 1)
        assert [r["public_id"] for r in was] == [paper["public_id"]]
        with pytest.raises(Conflict):
            releases.revoke(tx, paper, row)
        for ai_training in (True, False):
            with pytest.raises(Conflict, match="was revoked"):
                releases.add(tx, row, "model", b"%PDF-1.7 I agree", ai_training)
        again = releases.add(tx, row, "model", b"%PDF-1.7 I agree, scanned anew", False)
        shown = show(tx, "a.mp4")
        assert [one["public_id"] for one in shown.releases if one["id"] not in shown.ended_ms] == [again["public_id"]]
    with library.read() as tx:
        assert [len(entries(tx, f"release.{act}")) for act in ("added", "revoked")] == [2, 1]


@pytest.mark.parametrize("document", [b"", b"MZ\x90\x00\x03\xff", b"a\x00b", b"\xff\xfea\x00"])
def test_what_is_no_document(library, document):
    with library.write() as tx:
        row = put(tx)
        with pytest.raises(InputError):
            releases.add(tx, row, "model", document, True)
        with pytest.raises(InputError):
            releases.add(tx, row, "pet", b"text", True)


def names(page):
    return [row["filename"] for row in page.rows]


def test_search_looks_everywhere_in_any_case_and_takes_no_wildcards(library):
    with library.write() as tx:
        put(tx, "Ana Duarte", "sea/waves_1.mp4", "a1", title="Grüne ÄPFEL", description="100% of a pier")
        put(tx, "Bo", "wavesx1.mp4", "a2", title="Städte", keywords=("Éclair", 'say "cheese"'))
        put(tx, "Bo", "c.mp4", "a3", title="Cats", keywords=("cat", "بحر"))
    with library.read() as tx:
        for text, expected in (
            ("WAVES", ["sea/waves_1.mp4", "wavesx1.mp4"]),
            ("waves_1", ["sea/waves_1.mp4"]),
            ("100%", ["sea/waves_1.mp4"]),
            ("%", ["sea/waves_1.mp4"]),
            ("\\", []),
            ("äpfel", ["sea/waves_1.mp4"]),
            ("ÄPFEL grüne", ["sea/waves_1.mp4"]),
            ("STÄDTE", ["wavesx1.mp4"]),
            ("éclair", ["wavesx1.mp4"]),
            ("ÉCLAIR", ["wavesx1.mp4"]),
            ('"cheese"', ["wavesx1.mp4"]),
            ("بحر", ["c.mp4"]),
            ("u00c4", []),
            ("duarte pier", ["sea/waves_1.mp4"]),
            ("duarte cat", []),
            ("bo", ["wavesx1.mp4", "c.mp4"]),
            ("' or 1=1 --", []),
        ):
            assert names(search.search(tx, text)) == expected, text
        for text in ("", " ", "x" * 501, "\x00", " ".join("abcdefghijklmnopqr")):
            with pytest.raises(InputError):
                search.search(tx, text)


def test_pages_follow_each_other_without_gap_or_repeat(library):
    with library.write() as tx:
        for n in range(7):
            put(tx, "Ana", f"{n}.mp4", f"{n:02}")
        bo = assets.owner(tx, put(tx, "Bo", "bo.mp4", "ff"))
    with library.read() as tx:
        seen, after = [], None
        while True:
            page = search.listing(tx, after=after, limit=3)
            seen += names(page)
            after = page.next
            if after is None:
                break
        assert seen == [*(f"{n}.mp4" for n in range(7)), "bo.mp4"]
        assert names(search.listing(tx, contributor_row=bo)) == ["bo.mp4"]
        assert search.listing(tx, contributor_row=bo).rows[0]["contributor_name"] == "Bo"
        assert search.listing(tx, limit=8).next is None
        for limit in (0, 1001):
            with pytest.raises(InputError):
                search.listing(tx, limit=limit)
        with pytest.raises(NotFound):
            search.listing(tx, after="ast_00000000000000000000000000")


def test_an_asset_is_found_by_id_or_by_a_filename_of_its_own(library):
    with library.write() as tx:
        row = put(tx)
        assert assets.find(tx, "a.mp4")["id"] == assets.find(tx, row["public_id"])["id"] == row["id"]
        put(tx, "Bo", "a.mp4", "bb")
        with pytest.raises(Conflict) as caught:
            assets.find(tx, "a.mp4")
        assert row["public_id"] in str(caught.value)
        for text in ("none.mp4", "ast_00000000000000000000000000", "\x00"):
            with pytest.raises(FairframeError):
                assets.find(tx, text)
