"""A delivery directory is hostile until it verifies: any edit is found and named, and nothing of it is kept."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core import dsse
from fairframe.core.canonical import canonical, parse, sha256_hex
from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.errors import BadDocument, FairframeError, NotFound, VerificationError
from fairframe.core.item_line import read_line
from fairframe.dataset import inspection, listing, receive
from fairframe.dataset.tables import delivery, lease, received_item
from fairframe.platform import bundles
from fairframe.platform.workspace import Workspace, create_workspace
from fairframe.rights import agreements

from .conftest import Loop


@pytest.fixture
def arrived(loop: Loop) -> Loop:
    """A delivery that stands before the lab's door."""
    loop.agree()
    loop.build()
    loop.deliver()
    return loop


def names(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def nothing_is_kept(loop: Loop) -> None:
    with loop.lab.read() as tx:
        for table in (delivery, received_item, lease):
            assert tx.rows(table.select()) == []
        assert listing.listing(tx) == []
    objects = loop.lab.objects.root
    assert not objects.exists() or [p for p in objects.rglob("*") if p.is_file()] == []


def flip(path: Path, at: int = 10) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def refused(loop: Loop) -> FairframeError:
    with pytest.raises(FairframeError) as caught:
        loop.receive()
    nothing_is_kept(loop)
    return caught.value


def test_every_kind_of_edit_is_refused_and_named(arrived: Loop) -> None:
    folder = arrived.tmp / "delivery"
    kept = arrived.tmp / "kept"
    shutil.copytree(folder, kept)
    clips = sorted((folder / "clips").iterdir())
    one, two = f"clips/{clips[0].name}", f"clips/{clips[1].name}"

    def swap() -> None:
        first = clips[0].read_bytes()
        clips[0].write_bytes(clips[1].read_bytes())
        clips[1].write_bytes(first)

    def link() -> None:
        clips[0].unlink()
        clips[0].symlink_to("/etc/passwd")

    def folder_link() -> None:
        shutil.rmtree(folder / "clips")
        (folder / "clips").symlink_to(kept / "clips")

    def same_link() -> None:
        clips[0].unlink()
        clips[0].symlink_to(kept / one)

    lines = (folder / "items.jsonl").read_bytes().splitlines(keepends=True)
    edits: list[tuple[Callable[[], object], str, list[str]]] = [
        (lambda: flip(clips[0]), "delivery.changed", [f"{one} is changed"]),
        (lambda: clips[0].write_bytes(clips[0].read_bytes() + b"x"), "delivery.changed", [f"{one} is changed"]),
        (lambda: clips[0].unlink(), "delivery.changed", [one, "is missing"]),
        (lambda: clips[0].rename(folder / "clips" / "x.mp4"), "delivery.changed", [one, "clips/x.mp4 is not part"]),
        (swap, "delivery.changed", [f"{one} is changed", f"{two} is changed"]),
        (link, "delivery.changed", [one, "link"]),
        (same_link, "delivery.changed", [one, "link"]),
        (folder_link, "delivery.changed", ["clips is missing or a link"]),
        (lambda: os.mkfifo(folder / "pipe"), "delivery.changed", ["pipe is not part"]),
        (lambda: (folder / "readme.txt").write_text("hi"), "delivery.changed", ["readme.txt is not part"]),
        (lambda: (folder / "more").mkdir(), "delivery.changed", ["more is not part"]),
        (lambda: flip(folder / "items.jsonl"), "delivery.changed", ["items.jsonl is changed"]),
        (
            lambda: (folder / "items.jsonl").write_bytes(b"".join(reversed(lines))),
            "delivery.changed",
            ["items.jsonl is changed"],
        ),
        (lambda: (folder / "items.jsonl").write_bytes(b"".join(lines[:-1])), "delivery.changed", ["items.jsonl"]),
        (lambda: (folder / "items.jsonl").write_bytes(b"x" * 10**6), "delivery.changed", ["items.jsonl is changed"]),
        (lambda: (folder / "items.jsonl").unlink(), "delivery.changed", ["items.jsonl is missing"]),
        (lambda: flip(folder / "items.parquet"), "delivery.changed", ["items.parquet is changed"]),
        (lambda: (folder / "items.parquet").unlink(), "delivery.changed", ["items.parquet is missing"]),
        (lambda: flip(folder / "delivery.json", 30), "dsse.", []),
        (lambda: (folder / "delivery.json").unlink(), "delivery.missing", ["delivery.json"]),
        (lambda: (folder / "delivery.json").write_bytes(b"x" * (2 << 20)), "delivery.too_large", ["delivery.json"]),
        (lambda: (folder / "feed.json").unlink(), "delivery.missing", ["feed.json"]),
        (lambda: (folder / "feed.items.jsonl").write_bytes(b"{}\n"), "list.changed", []),
        (lambda: feed_linked(folder), "delivery.changed", ["feed.items.jsonl is not part"]),
        (lambda: flip(folder / "lease.json", 30), "dsse.", []),
        (lambda: shutil.copy(folder / "lease.json", folder / "feed.json"), "bundle.type", []),
        (lambda: shutil.copy(folder / "delivery.json", folder / "agreement.json"), "", []),
        (lambda: (folder / "agreement.json").write_bytes(offered(arrived)), "agreement.wrong_signer", []),
    ]
    for edit, code, told in edits:
        edit()
        error = refused(arrived)
        assert error.code.startswith(code), (error.code, code, str(error))
        for word in told:
            assert word in str(error)
        if (folder / "clips").is_symlink():
            (folder / "clips").unlink()
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
    assert arrived.receive().new, "after all that the true delivery is taken"


def feed_linked(folder: Path) -> None:
    (folder / "feed.items.jsonl").unlink()
    (folder / "feed.items.jsonl").symlink_to(folder / "items.jsonl")


def offered(loop: Loop) -> bytes:
    with loop.library.read() as tx:
        return agreements.find(tx, loop.agreement).offered


def test_what_is_no_folder_is_refused(lab: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        receive.receive(lab, tmp_path / "nowhere")
    assert caught.value.code == "delivery.no_folder"


def test_an_endless_derived_file_is_not_read(arrived: Loop) -> None:
    os.truncate(arrived.tmp / "delivery" / "items.parquet", 64 << 30)
    begun = time.monotonic()
    assert "items.parquet is changed" in str(refused(arrived))
    assert time.monotonic() - begun < 10


def test_any_single_byte_that_is_changed_is_found(arrived: Loop) -> None:
    """Every file, any place, any other value. The expensive parts of receive are left out: inspection alone."""
    folder = arrived.tmp / "delivery"
    envelope = (folder / "delivery.json").read_bytes()
    with arrived.lab.read() as tx:
        body = DeliveryBody.from_json(bundles.check(tx, envelope, "delivery").body)
    covered = [p for p in names(folder) if p.parent.name == "clips" or p.name.startswith("items.")]
    assert inspection.inspect(folder, body).problems == ()

    @given(st.data())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def edited(data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(covered))
        whole = path.read_bytes()
        at, other = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
        with changed(path, whole[:at] + bytes([whole[at] ^ other]) + whole[at + 1 :]):
            problems = inspection.inspect(folder, body).problems
            assert any(path.name in problem for problem in problems)

    @given(st.data())
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def signed(data: st.DataObject) -> None:
        at, other = data.draw(st.integers(0, len(envelope) - 1)), data.draw(st.integers(1, 255))
        forged = envelope[:at] + bytes([envelope[at] ^ other]) + envelope[at + 1 :]
        with arrived.lab.read() as tx, pytest.raises((VerificationError, BadDocument)):
            bundles.check(tx, forged, "delivery")

    edited()
    signed()


@contextmanager
def changed(path: Path, data: bytes) -> Iterator[None]:
    whole = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(whole)


def forge(loop: Loop, edit: Callable[[dict[str, object]], None]) -> None:
    """Write the delivery's directory again as a library would that signs `edit`ed lines and sums."""
    folder = loop.tmp / "delivery"
    envelope = dsse.read_envelope((folder / "delivery.json").read_bytes())
    bundle = parse(envelope.payload)
    assert isinstance(bundle, dict)
    edit(bundle)
    _, key = loop.library.keys.signing_key()
    (folder / "delivery.json").write_bytes(dsse.sign(envelope.payload_type, canonical(bundle), key))


def resign_lines(loop: Loop, change: Callable[[dict[str, object]], None]) -> None:
    from fairframe.core.item_line import root_of

    path = loop.tmp / "delivery" / "items.jsonl"
    values = [parse(line) for line in path.read_bytes().splitlines()]
    change(values[0])  # type: ignore[arg-type]
    lines = [canonical(value) for value in values]
    data = b"".join(line + b"\n" for line in lines)
    path.write_bytes(data)

    def edit(bundle: dict[str, object]) -> None:
        sums = {"root": root_of(lines), "items_digest": sha256_hex(data), "items_bytes": len(data)}
        bundle["body"].update(sums)  # type: ignore[attr-defined]

    forge(loop, edit)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_even_a_signed_delivery_is_read_strictly(arrived: Loop) -> None:
    """A library that signs nonsense does not get it past the lab's door."""
    folder, kept = arrived.tmp / "delivery", arrived.tmp / "kept"
    shutil.copytree(folder, kept)
    first = read_line((folder / "items.jsonl").read_bytes().splitlines()[0])
    outside = arrived.tmp / "outside.mp4"
    shutil.copy(folder / first.path, outside)

    def body(**changes: object) -> Callable[[], None]:
        return lambda: forge(arrived, lambda bundle: bundle["body"].update(changes))  # type: ignore[attr-defined]

    def line(**changes: object) -> Callable[[], None]:
        return lambda: resign_lines(arrived, lambda value: value.update(changes))

    def whole(**changes: object) -> Callable[[], None]:
        return lambda: forge(arrived, lambda bundle: bundle.update(changes))

    def broken_clip() -> None:
        data = b"\0\0\0\x18ftypmp42" + bytes(100)
        (folder / first.path).unlink()
        (folder / "clips" / f"{sha256_hex(data)}.mp4").write_bytes(data)
        said = {"bytes_hash": sha256_hex(data), "bytes": len(data), "path": f"clips/{sha256_hex(data)}.mp4"}
        resign_lines(arrived, lambda value: value.update(said))
        clips_bytes = sum(p.stat().st_size for p in (folder / "clips").iterdir())
        body(clips_bytes=clips_bytes)()

    def one_frame_more() -> None:
        frames = first.frames + 1
        lasts_ms = first.fps.duration_ms(frames)
        line(frames=frames, end=first.end + 1, duration_ms=lasts_ms)()
        lines = (folder / "items.jsonl").read_bytes().splitlines()
        body(duration_ms=sum(read_line(one).duration_ms for one in lines))()

    cases: list[tuple[Callable[[], None], str, str]] = [
        (line(path="../../outside.mp4"), "delivery.changed", "path"),
        (line(path="/etc/passwd"), "delivery.changed", "path"),
        (line(contributor="Ana Rivera"), "delivery.changed", "pseudonym"),
        (line(clearance={"outcome": "REVIEW", "findings": []}), "delivery.changed", "outcome"),
        (line(frames=first.frames + 1, end=first.end + 1), "delivery.changed", "duration_ms"),
        (one_frame_more, "delivery.unplayable", "frames"),
        (broken_clip, "delivery.unplayable", "cannot be played"),
        (body(duration_ms=1), "delivery.changed", "durations"),
        (body(clips_bytes=1), "delivery.changed", "sizes"),
        (body(items=7), "delivery.changed", "items.jsonl"),
        (body(name="../../x"), "document.field", "name"),
        (body(recipe={"filters": {}}), "document.field", "recipe_hash"),
        (body(more=1), "document.field", "more"),
        (body(family="agr_" + "0" * 26), "delivery.agreement", "both sides"),
        (body(agreement_digest="0" * 64), "delivery.agreement", "both sides"),
        (body(derived={"../x": "0" * 64}), "document.field", "items.parquet"),
        (body(items=2**40), "delivery.changed", "items.jsonl"),
        (whole(to="pty_" + "0" * 26), "bundle.recipient", "another party"),
        (whole(agreement=None), "document.field", "agreement"),
        (whole(agreement={"id": "agr_" + "0" * 26, "version": 1}), "agreement.missing", ""),
        (whole(type="lease"), "bundle.type", ""),
    ]
    for edit, code, word in cases:
        edit()
        error = refused(arrived)
        assert error.code.startswith(code), (error.code, str(error))
        assert word in str(error)
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
    assert arrived.receive().new


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_delivery_of_a_library_that_is_not_trusted_is_refused(arrived: Loop) -> None:
    other = create_workspace(arrived.tmp / "south", "lab", "South Lab", arrived.lab.clock)
    with pytest.raises(VerificationError) as caught:
        receive.receive(other, arrived.tmp / "delivery")
    other.close()
    assert caught.value.code == "dsse.unknown_key"
