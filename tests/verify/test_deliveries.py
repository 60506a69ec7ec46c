import base64
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core.bundle import AgreementRef, read_payload
from fairframe.core.canonical import canonical, sha256_hex
from fairframe.core.dsse import read_envelope, sign

Failing = Callable[[Any], set[str]]
Ids = Callable[..., str]


def test_an_honest_delivery_holds(world: Any) -> None:
    world.deliver()
    report = world.check()
    assert report.holds, [finding for finding in report.findings if not finding.ok]
    assert report.cannot_show


def test_a_changed_clip(world: Any, failing: Failing) -> None:
    world.deliver()
    world.clip_path(1).write_bytes(b"clip TWO, longer")
    assert failing(world.check()) == {"clips.changed"}


def test_a_longer_clip(world: Any, failing: Failing) -> None:
    world.deliver()
    with world.clip_path(1).open("ab") as stream:
        stream.write(b"\0")
    assert failing(world.check()) == {"clips.changed"}


def test_two_clips_swapped(world: Any, failing: Failing) -> None:
    world.deliver()
    one, other = world.clip_path(0), world.clip_path(1)
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)
    assert failing(world.check()) == {"clips.changed"}


def test_a_missing_clip(world: Any, failing: Failing) -> None:
    world.deliver()
    world.clip_path(2).unlink()
    assert failing(world.check()) == {"clips.missing"}


def test_no_clips_at_all(world: Any, failing: Failing) -> None:
    world.deliver()
    for number in range(3):
        world.clip_path(number).unlink()
    (world.folder / "clips").rmdir()
    assert failing(world.check()) == {"clips.missing"}


@pytest.mark.parametrize("name", ["extra.txt", "clips/extra.mp4", ".hidden", "clips/.hidden", "lease.json.bak"])
def test_an_extra_file(world: Any, failing: Failing, name: str) -> None:
    world.deliver()
    world.write(name, b"x")
    assert failing(world.check()) == {"files.extra"}


def test_an_extra_folder(world: Any, failing: Failing) -> None:
    world.deliver()
    (world.folder / "clips" / "more").mkdir()
    (world.folder / "other").mkdir()
    assert failing(world.check()) == {"files.extra"}


def test_a_clip_with_another_suffix(world: Any, failing: Failing) -> None:
    world.deliver()
    path = world.clip_path(0)
    path.rename(path.with_suffix(".mp4.mp4"))
    assert failing(world.check()) == {"files.extra", "clips.missing"}


def test_a_clip_replaced_by_a_link_to_the_right_bytes(world: Any, failing: Failing, tmp_path: Path) -> None:
    world.deliver()
    path = world.clip_path(0)
    path.rename(tmp_path / "elsewhere.mp4")
    path.symlink_to(tmp_path / "elsewhere.mp4")
    assert failing(world.check()) == {"clips.missing"}


def test_the_clips_folder_replaced_by_a_link(world: Any, failing: Failing, tmp_path: Path) -> None:
    world.deliver()
    (world.folder / "clips").rename(tmp_path / "elsewhere")
    (world.folder / "clips").symlink_to(tmp_path / "elsewhere")
    assert failing(world.check()) == {"files.extra"}


def test_a_pipe_in_a_clips_place_does_not_hang(world: Any, failing: Failing) -> None:
    world.deliver()
    world.clip_path(0).unlink()
    os.mkfifo(world.clip_path(0))
    assert failing(world.check()) == {"clips.missing"}


def test_a_changed_caption(world: Any, failing: Failing) -> None:
    world.deliver()
    path = world.folder / "items.jsonl"
    path.write_bytes(path.read_bytes().replace(b"dusk", b"dawn", 1))
    assert failing(world.check()) == {"items.digest", "items.root"}


def test_lines_in_another_order(world: Any, failing: Failing) -> None:
    world.deliver()
    path = world.folder / "items.jsonl"
    path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    assert failing(world.check()) == {"items.digest", "items.root"}


def test_a_line_cut_off_with_its_clip(world: Any, failing: Failing) -> None:
    world.deliver()
    path = world.folder / "items.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    world.clip_path(2).unlink()
    assert failing(world.check()) == {
        "items.digest",
        "items.root",
        "items.count",
        "items.bytes",
        "items.size",
        "items.duration",
    }


def test_a_line_added(world: Any, failing: Failing) -> None:
    world.deliver()
    with (world.folder / "items.jsonl").open("ab") as stream:
        stream.write(canonical(world.item(0)) + b"\n")
    wrong = {"items.digest", "items.root", "items.count", "items.form", "items.size", "items.duration"}
    assert failing(world.check()) == wrong


def test_a_last_line_without_its_line_feed(world: Any, failing: Failing) -> None:
    world.deliver()
    path = world.folder / "items.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert failing(world.check()) == {
        *("items.digest", "items.form", "items.bytes", "items.size", "items.duration", "files.extra"),
    }


def test_an_endless_items_file_is_read_to_what_was_signed_only(world: Any, failing: Failing) -> None:
    world.deliver()
    with (world.folder / "items.jsonl").open("ab") as stream:
        stream.truncate(1 << 40)
    assert "items.count" in failing(world.check())


@pytest.mark.parametrize("name", ["delivery.json", "items.jsonl", "agreement.json", "lease.json", "feed.json"])
def test_a_missing_part(world: Any, failing: Failing, name: str) -> None:
    world.deliver()
    (world.folder / name).unlink()
    assert "input.no_file" in failing(world.check())


def test_changed_or_missing_derived_files(world: Any, failing: Failing) -> None:
    world.deliver()
    world.write("items.parquet", b"PAR2")
    assert failing(world.check()) == {"derived.changed"}
    (world.folder / "items.parquet").unlink()
    assert failing(world.check()) == {"derived.changed"}


def test_an_endless_derived_file_is_not_read(world: Any, failing: Failing) -> None:
    world.deliver()
    with (world.folder / "items.parquet").open("ab") as stream:
        stream.truncate(200 << 30)
    begun = time.monotonic()
    assert failing(world.check()) == {"derived.changed"}
    assert time.monotonic() - begun < 20


PARQUET = {"items.parquet": sha256_hex(b"PAR1")}


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "clips/x", "..", "delivery.json", "a\x00b", "clips", "é"])
@pytest.mark.parametrize("beside", [{}, PARQUET], ids=["alone", "beside"])
def test_a_derived_name_that_leads_elsewhere(world: Any, failing: Failing, name: str, beside: dict[str, str]) -> None:
    world.deliver(derived={**beside, name: "0" * 64})
    assert failing(world.check()) == {"document.field"}


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "../../etc/passwd"},
        {"path": "clips/../delivery.json"},
        {"path": "/etc/passwd"},
        {"bytes_hash": "../../../../etc/passwd"},
        {"bytes_hash": "A" * 64},
        {"bytes": True},
        {"bytes": 0},
        {"start": 58},
        {"frames": 47},
        {"fps": "23.976"},
        {"fps": "0/0"},
        {"id": "ast_" + "0" * 26},
        {"asset": "ast_" + "0" * 26},
        {"contributor": "ctr_" + "0" * 26},
        {"clearance": {"outcome": "REVIEW"}},
        {"caption": None},
        {"caption": "x" * 2_001},
        {"caption": "x" * 70_000},
        {"duration_ms": 1_998},
        {"kind": "image"},
        {"group": "Ana Rivera"},
        {"more": 1},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_malformed_item_even_when_signed(world: Any, failing: Failing, changes: dict[str, Any]) -> None:
    items = world.items()
    items[1] |= changes
    world.deliver([canonical(item) for item in items])
    assert "items.form" in failing(world.check())


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b"[" * 1000, b'{"id":1,"id":2}', b"\xff", b"{ }"], ids=repr)
def test_a_line_that_is_no_item(world: Any, failing: Failing, line: bytes) -> None:
    world.deliver([canonical(world.item(0)), line])
    assert "items.form" in failing(world.check())


def test_an_item_listed_twice(world: Any, failing: Failing) -> None:
    items = world.items()
    items[1]["id"] = items[0]["id"]
    world.deliver([canonical(item) for item in items])
    assert failing(world.check()) == {"items.form"}


def test_a_delivery_signed_by_a_stranger(world: Any, failing: Failing) -> None:
    world.deliver()
    data = (world.folder / "delivery.json").read_bytes()
    payload = base64.b64decode(json.loads(data)["payload"])
    kind = json.loads(data)["payloadType"]
    world.write("delivery.json", sign(kind, payload, world.stranger.private))
    assert failing(world.check()) == {"dsse.unknown_key"}
    # even the lab's good signature does not stand in for the library's
    world.write("delivery.json", sign(kind, payload, world.lab.private))
    assert failing(world.check()) == {"document.signature"}


@pytest.mark.parametrize(
    "field",
    [
        {"root": "0" * 64},
        {"items": 4},
        {"items": 2},
        {"items": 0},
        {"name": "../x"},
        {"derived": {}},
        {"items_digest": "0" * 64},
        {"clips_bytes": 1},
        {"items_bytes": 1},
        {"duration_ms": 1},
        {"clips_bytes": 0},
        {"recipe_hash": "0" * 64},
        {"recipe_hash": "nonsense"},
        {"recipe": {}},
        {"family": "agr_" + "1" * 26},
        {"family": "whatever"},
        {"agreement_digest": "0" * 64},
        {"delivery": "dlv_" + "1" * 26},
        {"more": 1},
    ],
    ids=str,
)
def test_a_signed_body_that_does_not_fit(world: Any, failing: Failing, field: dict[str, Any]) -> None:
    world.deliver(**field)
    assert failing(world.check())


BODY = ("delivery", "name", "release", "family", "root", "items", "items_digest", "items_bytes", "clips_bytes")


@pytest.mark.parametrize("field", [*BODY, "duration_ms", "recipe", "recipe_hash", "derived", "snapshot"])
def test_a_signed_body_with_a_field_of_another_type(world: Any, failing: Failing, field: str) -> None:
    world.deliver(**{field: None})
    assert failing(world.check()) == {"document.field"}


def test_the_agreement_of_somebody_else(world: Any, failing: Failing) -> None:
    world.deliver()
    other_id = "agr_" + "1" * 26
    ref = AgreementRef(other_id, 1)
    other = world.agreement(world.agreement_body(family=other_id), id=other_id, agreement=ref)
    world.write("agreement.json", other)
    assert failing(world.check()) == {"delivery.agreement"}
    world.deliver(agreement_digest=sha256_hex(other))
    world.write("agreement.json", other)
    assert failing(world.check()) == {"delivery.agreement"}


@pytest.mark.parametrize("ref", [None, AgreementRef("agr_" + "1" * 26, 1), AgreementRef("agr_" + "0" * 26, 2)], ids=str)
def test_a_delivery_that_names_no_or_another_agreement(world: Any, ids: Ids, failing: Failing, ref: Any) -> None:
    world.deliver()
    body = read_payload(read_envelope((world.folder / "delivery.json").read_bytes()).payload).body
    world.write("delivery.json", world.sealed("delivery", body, id=ids("dlv"), agreement=ref))
    assert failing(world.check()) == {"delivery.agreement"}


def test_another_signing_of_the_same_agreement(world: Any, failing: Failing) -> None:
    world.deliver()
    world.write("agreement.json", world.agreement(seq=2))
    assert failing(world.check()) == {"delivery.agreement"}


def test_an_agreement_that_the_lab_has_not_signed(world: Any, failing: Failing) -> None:
    world.deliver()
    world.write("agreement.json", world.sealed("agreement", world.agreement_body(), id=world.agreement_ref.id))
    assert failing(world.check()) == {"document.signature"}


def test_an_agreement_that_says_nothing(world: Any, failing: Failing) -> None:
    empty = world.agreement({})
    world.deliver(agreement_digest=sha256_hex(empty))
    world.write("agreement.json", empty)
    assert failing(world.check()) == {"document.field"}


def test_a_lease_or_feed_of_another_delivery(world: Any, failing: Failing, ids: Ids) -> None:
    world.deliver()
    world.write("lease.json", world.lease(delivery=ids("dlv", 5)))
    world.write("feed.json", world.feed(deliveries=[ids("dlv", 5)], leases=[]))
    assert failing(world.check()) == {"delivery.lease", "delivery.feed"}
    world.write("lease.json", world.lease())
    world.write("feed.json", world.feed(family=ids("agr", 5)))
    assert failing(world.check()) == {"delivery.feed"}


@pytest.mark.parametrize(
    "changes", [{"ends_at": 0}, {"ends_at": "zz"}, {"ends_at": "2020-01-01T00:00:00.000Z"}], ids=str
)
def test_a_lease_of_another_form(world: Any, failing: Failing, changes: dict[str, Any]) -> None:
    world.deliver()
    world.write("lease.json", world.lease(**changes))
    assert failing(world.check()) == failing(world.check(world.folder / "lease.json")) == {"document.field"}


def test_a_grant_that_says_nothing(world: Any, failing: Failing) -> None:
    world.deliver()
    world.write("grant.json", world.sealed("grant", {}))
    assert "document.field" in failing(world.check(world.folder / "grant.json"))


@pytest.mark.parametrize(
    "changes",
    [
        {"family": 5},
        {"leases": "xx"},
        {"leases": ["x"]},
        {"max_age_ms": -1},
        {"deliveries": ["dlv_" + "0" * 26] * 2},
        {"deliveries": ["dlv_" + "0" * 26, "North Lab"]},
        {"entries": []},
        {"entries": -1},
        {"list": {"lines": 0, "bytes": 0, "digest": "0" * 64}},
        {"more": 1},
    ],
    ids=str,
)
def test_a_feed_of_another_form(world: Any, failing: Failing, changes: dict[str, Any]) -> None:
    world.deliver()
    world.write("feed.json", world.feed(**changes))
    assert failing(world.check()) == failing(world.check(world.folder / "feed.json")) == {"document.field"}


def test_a_lease_in_the_feed_that_the_library_did_not_sign(world: Any, ids: Ids, failing: Failing) -> None:
    world.deliver()
    stolen = read_envelope(world.lease())
    forged = sign(stolen.payload_type, stolen.payload, world.stranger.private)
    for lease in (forged, b"{}", world.lease(delivery=ids("dlv", 5)), world.feed()):
        world.write("feed.json", world.feed(1, leases=[base64.b64encode(lease).decode()]))
        assert failing(world.check()) == {"delivery.feed_leases"}
    world.clip_path(1).unlink()
    assert failing(world.check()) == {"delivery.feed_leases", "clips.missing"}, "it takes nothing back either"


def test_a_list_of_the_feed_that_was_changed_takes_nothing_back(world: Any, failing: Failing, ids: Ids) -> None:
    world.deliver()
    world.write("feed.json", world.feed(1))
    path = world.folder / "feed.items.jsonl"
    honest = path.read_bytes()
    world.clip_path(1).unlink()
    assert world.check().holds
    for other in (honest[:-1], b"", honest + honest, honest.replace(ids("itm", 1).encode(), ids("itm", 2).encode())):
        path.write_bytes(other)
        assert failing(world.check()) == {"list.changed", "clips.missing"}
    path.unlink()
    assert failing(world.check()) == {"list.missing", "clips.missing"}
    world.write("feed.json", world.feed())
    path.unlink(missing_ok=True)
    assert failing(world.check()) == {"clips.missing"}, "a list of nothing may be lost on the way"


def test_documents_in_each_others_place(world: Any, failing: Failing) -> None:
    world.deliver()
    world.write("lease.json", world.feed())
    assert failing(world.check()) == {"delivery.type"}


def test_a_clip_that_the_feed_took_back_may_be_gone(world: Any, failing: Failing) -> None:
    world.deliver()
    world.write("feed.json", world.feed(1))
    assert world.check().holds
    world.clip_path(1).unlink()
    assert world.check().holds
    world.clip_path(2).unlink()
    assert failing(world.check()) == {"clips.missing"}


def test_a_clip_is_kept_while_another_item_needs_it(world: Any, failing: Failing, ids: Ids) -> None:
    lines = [canonical(item) for item in [*world.items(), world.item(1, id=ids("itm", 7))]]
    world.deliver(lines)
    world.write("feed.json", world.feed(1))
    assert world.check().holds
    world.clip_path(1).unlink()
    assert failing(world.check()) == {"clips.missing"}


def test_a_forged_feed_excuses_nothing(world: Any, failing: Failing) -> None:
    world.deliver()
    feed = json.loads(world.feed(1))
    feed["signatures"][0]["sig"] = json.loads(world.feed(2))["signatures"][0]["sig"]
    world.write("feed.json", canonical(feed))
    world.clip_path(1).unlink()
    assert failing(world.check()) == {"dsse.bad_signature", "clips.missing"}


def test_many_faults_are_counted_not_listed(world: Any) -> None:
    world.deliver()
    for number in range(50):
        world.write(f"extra{number}", b"")
    texts = [finding.text for finding in world.check().findings if not finding.ok]
    assert len(texts) == 21
    assert texts[-1] == "and 30 more"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_byte_edit_is_found(world: Any, data: st.DataObject) -> None:
    world.deliver()
    names = sorted(path for path in world.folder.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(names))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    assert not world.check().holds
