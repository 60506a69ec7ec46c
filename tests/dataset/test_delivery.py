"""From a library's release to a lab's loader, on both databases, with real clips."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fairframe.core.canonical import sha256_hex
from fairframe.core.errors import Conflict, InputError, IntegrityFailure, MediaError, NotFound, Refused
from fairframe.core.item_line import read_line
from fairframe.core.merkle import leaf_hash, root_of
from fairframe.curation.filters import Filters
from fairframe.dataset import deliveries, listing, loader, releases
from fairframe.dataset.receive import Received
from fairframe.media.decode import read_span
from fairframe.platform import audit
from fairframe.platform.settings import Settings
from fairframe.rights import consent, holds

from .conftest import CUT, FILES, FRAMES, PEOPLE, Film, Loop

Files = Callable[[Path], dict[str, bytes]]


def test_a_delivery_says_and_holds_what_the_release_says(loop: Loop, files: Files) -> None:
    loop.agree()
    built = loop.build()
    done = loop.deliver()
    found = files(done.path)
    lines = found["items.jsonl"].splitlines()
    items = [read_line(line) for line in lines]
    assert built.items == len(items) == 2 * len(FILES)
    assert root_of([leaf_hash(line) for line in lines]).hex() == built.root
    assert {one.path for one in items} == {name for name in found if name.startswith("clips/")}
    assert set(found) - {one.path for one in items} == {
        "delivery.json",
        "agreement.json",
        "lease.json",
        "feed.json",
        "feed.items.jsonl",
        "items.jsonl",
        "items.parquet",
    }
    for one in items:
        assert sha256_hex(found[one.path]) == one.bytes_hash
        assert len(found[one.path]) == one.size_bytes
        assert (one.start, one.end) in ((0, CUT), (CUT, FRAMES))
    assert {one.split for one in items} == {"train", "heldout"}
    by_asset = {one.asset: {two.split for two in items if two.asset == one.asset} for one in items}
    assert all(len(splits) == 1 for splits in by_asset.values()), "no asset is in both splits"
    assert done.size_bytes == sum(len(found[name]) for name in found if name.startswith("clips/"))


@pytest.mark.usefixtures("at_lab")
def test_clips_are_cut_on_exact_frames(loop: Loop, films: list[Film]) -> None:
    items = {one.id: one for one in loader.open_delivery(loop.lab, "squares").items}
    whole = {sha256_hex(film.path.read_bytes()): read_span(film.path, 0, FRAMES) for film in films}
    for one in items.values():
        clip = read_span(loop.lab.objects.path(one.bytes_hash), 0, one.frames).astype(int)
        source = whole[one.content_hash]
        errors = [np.abs(clip[0] - source[frame]).mean() for frame in range(FRAMES)]
        assert int(np.argmin(errors)) == one.start
        assert one.frames == one.end - one.start


@pytest.mark.usefixtures("built")
def test_no_identity_leaves_the_library(loop: Loop, files: Files) -> None:
    everything = b"".join(files(loop.deliver().path).values())
    with loop.library.read() as tx:
        from fairframe.library.tables import asset, contributor

        secrets = [row["public_id"] for table in (asset, contributor) for row in tx.rows(table.select())]
    for secret in [*PEOPLE, *FILES, *secrets]:
        assert secret.encode() not in everything
        assert secret.casefold().encode() not in everything.lower()


def test_pseudonyms_hold_within_a_family_and_differ_between_families(loop: Loop) -> None:
    first = loop.agree()
    names = {_asset_names(loop, "one")}
    with loop.library.write() as tx:
        for who in PEOPLE:
            consent.set(tx, contributor=loop_contributor(tx, who), effect="allow", purpose="commercial")
    loop.agree(upgrade_of=first, offer="commercial")
    names.add(_asset_names(loop, "two"))
    assert len(names) == 1, "an upgrade keeps the pseudonyms"
    loop.agree()
    names.add(_asset_names(loop, "three"))
    assert len(names) == 2


def _asset_names(loop: Loop, name: str) -> frozenset[str]:
    loop.build(name)
    with loop.library.read() as tx:
        return frozenset(clip["asset"] for clip in listing.show(tx, name)["clips"])


def loop_contributor(tx: object, name: str) -> object:
    from fairframe.library import contributors

    return contributors.find(tx, name)  # type: ignore[arg-type]


def test_the_loader_gives_every_clip_once_at_the_models_size(loop: Loop, at_lab: Received) -> None:
    done = at_lab
    opened = loader.open_delivery(loop.lab, "squares")
    opened.check()
    clips = list(opened.clips(64))
    assert {clip.item for clip in clips} == {one.id for one in opened.items} == opened.admitted()
    assert len(clips) == done.items
    for clip in clips:
        assert clip.source == done.id
        assert clip.frames.shape == (next(o.frames for o in opened.items if o.id == clip.item), 64, 64, 3)
        assert clip.caption == "A square moves; by"
    assert {c.item for c in opened.clips(64, split="train")} | {c.item for c in opened.clips(64, split="heldout")} == {
        clip.item for clip in clips
    }
    assert opened.remedy == "stop_at_next_epoch"
    assert loader.open_delivery(loop.lab, done.id).id == done.id


@pytest.mark.usefixtures("at_lab")
def test_clips_are_decoded_in_a_child_with_limits(loop: Loop) -> None:
    opened = loader.open_delivery(loop.lab, "squares")
    # too little memory for any child: nothing of a clip is looked at here
    narrow = replace(loop.lab, settings=Settings(media_memory_bytes=1 << 20))
    with pytest.raises(MediaError) as caught:
        next(replace(opened, ws=narrow).clips(64))
    assert caught.value.code in ("media.memory", "media.crashed")


@pytest.mark.usefixtures("built")
def test_a_release_never_changes_and_its_name_is_taken(loop: Loop) -> None:
    with pytest.raises(Conflict, match="exists"):
        loop.build()
    for name in ("", "Squares", "../x", "a b", "x" * 81, "-x"):
        with pytest.raises(InputError) as caught:
            loop.build(name)
        assert caught.value.code == "input.bad_name"


def test_nothing_is_built_without_an_agreement_in_force(loop: Loop) -> None:
    with pytest.raises(NotFound):
        releases.build(loop.library, "agr_" + "0" * 26, "squares")
    loop.agree()
    loop.library.clock.advance(400 * 86_400_000)  # type: ignore[attr-defined]
    with pytest.raises(Refused) as caught:
        loop.build()
    assert caught.value.code == "agreement.inactive"


def test_an_empty_release_is_refused_with_the_funnel(loop: Loop) -> None:
    loop.agree()
    with pytest.raises(Refused) as caught:
        loop.build(filters=Filters(min_frames=FRAMES + 1))
    assert caught.value.code == "release.empty"
    assert caught.value.reasons[0] == "clearance: 4 of 4 assets"
    assert caught.value.reasons[1] == "selection: 0 of 8 shots (too_few_frames 8)"
    with loop.library.read() as tx:
        assert listing.listing(tx) == []


def test_the_funnel_tells_why_clips_fell_out_and_stays_in_the_library(loop: Loop, files: Files) -> None:
    loop.agree()
    with loop.library.write() as tx:
        consent.set(tx, contributor=loop_contributor(tx, PEOPLE[1]), effect="deny", purpose="research")  # type: ignore[arg-type]
    built = loop.build(filters=Filters(min_frames=CUT))
    gates = {gate.name: gate for gate in built.funnel.gates}
    assert (gates["clearance"].entered, gates["clearance"].left) == (4, 3)
    assert gates["clearance"].reasons == {"consent_denied": 1}
    assert (gates["selection"].entered, gates["selection"].left) == (6, 3)
    assert gates["selection"].reasons == {"too_few_frames": 3}
    assert built.items == 3
    with loop.library.read() as tx:
        assert listing.funnel_of(tx, built.id) == built.funnel
        assert listing.show(tx, "squares")["funnel"] == built.funnel.to_json()
    delivered = files(loop.deliver().path)
    payloads = b"".join(data for name, data in delivered.items() if not name.startswith("clips/"))
    assert b"consent_denied" not in payloads
    assert not re.search(rb"funnel", payloads)


def test_the_same_frames_are_cut_once_and_give_the_same_bytes(loop: Loop) -> None:
    loop.agree()
    loop.build("one")
    with loop.library.read() as tx:
        first = {clip["bytes_hash"] for clip in listing.show(tx, "one")["clips"]}
    kept = {key: loop.library.objects.path(key).stat().st_mtime_ns for key in first}
    loop.build("two")
    with loop.library.read() as tx:
        assert {clip["bytes_hash"] for clip in listing.show(tx, "two")["clips"]} == first
    assert {key: loop.library.objects.path(key).stat().st_mtime_ns for key in first} == kept
    for key in first:
        loop.library.objects.delete(key)
    loop.build("three")
    with loop.library.read() as tx:
        assert {clip["bytes_hash"] for clip in listing.show(tx, "three")["clips"]} == first, "cutting is deterministic"


def test_a_damaged_source_costs_its_own_shots_only(loop: Loop, films: list[Film]) -> None:
    loop.agree()
    path = loop.library.objects.path(films[2].content_hash)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:2000])
    built = loop.build()
    cutting = next(gate for gate in built.funnel.gates if gate.name == "cutting")
    assert (cutting.entered, cutting.left) == (8, 6)
    assert sum(cutting.reasons.values()) == 2
    assert all(code.startswith("media.") for code in cutting.reasons)


@pytest.mark.usefixtures("built")
def test_a_hold_after_the_build_stops_the_delivery_and_leaves_nothing(loop: Loop) -> None:
    with loop.library.write() as tx:
        from fairframe.library.tables import asset

        row = tx.rows(asset.select())[0]
        holds.place(tx, row, code="dispute", reason="someone else says it is theirs")
    with pytest.raises(Refused) as caught:
        loop.deliver()
    assert caught.value.code == "delivery.changed"
    assert row["public_id"] in caught.value.reasons[0]
    assert list(loop.tmp.glob("*delivery*")) == []
    with loop.library.read() as tx:
        assert listing.listing(tx)[0].state == "built"


@pytest.mark.usefixtures("built")
def test_delivering_again_writes_the_same_delivery(loop: Loop, files: Files) -> None:
    first, again = loop.deliver(folder="one"), loop.deliver(folder="two")
    assert (first.new, again.new) == (True, False)
    assert first.id == again.id
    one, two = files(first.path), files(again.path)
    assert {name for name in one if one[name] != two[name]} == {"lease.json", "feed.json"}
    assert loop.receive("one").new
    assert not loop.receive("two").new
    with pytest.raises(Conflict):
        loop.deliver(folder="two")
    with pytest.raises(NotFound):
        deliveries.deliver(loop.library, "circles", loop.tmp / "three")


@pytest.mark.usefixtures("built")
def test_a_clip_that_was_lost_or_changed_in_the_library_is_not_handed_over(loop: Loop) -> None:
    with loop.library.read() as tx:
        first, second = (clip["bytes_hash"] for clip in listing.show(tx, "squares")["clips"][:2])
    path = loop.library.objects.path(second)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(IntegrityFailure, match="was changed"):
        loop.deliver()
    loop.library.objects.delete(first)
    with pytest.raises(IntegrityFailure, match="was deleted"):
        loop.deliver()
    assert [p.name for p in loop.tmp.iterdir() if "delivery" in p.name] == []
    blocked = loop.tmp / "file"
    blocked.write_text("x")
    with pytest.raises(InputError) as caught:
        deliveries.deliver(loop.library, "squares", blocked / "delivery")
    assert caught.value.code == "input.unwritable"


@pytest.mark.usefixtures("at_lab")
def test_a_stored_clip_that_was_changed_or_lost_is_not_used_and_comes_back_with_the_delivery(loop: Loop) -> None:
    opened = loader.open_delivery(loop.lab, "squares")
    first, second = (loop.lab.objects.path(one.bytes_hash) for one in opened.items[:2])
    first.chmod(0o644)
    first.write_bytes(first.read_bytes()[:-1] + b"!")
    with pytest.raises(IntegrityFailure, match="was changed"):
        list(opened.clips(64))
    first.unlink()
    second.unlink()
    with pytest.raises(IntegrityFailure, match="is missing"):
        list(opened.clips(64))
    assert not loop.receive().new
    assert len(list(opened.clips(64))) == 8


@pytest.mark.usefixtures("at_lab")
def test_both_sides_list_and_show(loop: Loop) -> None:
    for ws, state in ((loop.library, "delivered"), (loop.lab, "open")):
        with ws.read() as tx:
            (row,) = listing.listing(tx)
            shown = listing.show(tx, row.name)
        assert (row.name, row.items, row.revoked, row.state) == ("squares", 8, 0, state)
        json.dumps(shown)
        assert shown["root"] == loop.built.root  # type: ignore[union-attr]
        assert len(shown["clips"]) == 8


@pytest.mark.usefixtures("at_lab")
def test_every_act_is_in_the_audit_trees(loop: Loop) -> None:
    for ws, kinds in (
        (loop.library, {"release.published", "lease.issued", "delivery.written", "document.sent"}),
        (loop.lab, {"delivery.received", "lease.taken", "feed.taken", "document.received"}),
    ):
        with ws.read() as tx:
            from fairframe.platform.tables import audit_entry

            found = {row["kind"] for row in tx.rows(audit_entry.select())}
            assert kinds <= found
            assert audit.head(tx.conn).size == len(tx.rows(audit_entry.select()))
