"""A folder of released weights, and what is found when somebody changes it, even with the lab's key."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.bundle import Head, seal
from fairframe.core.canonical import sha256_hex
from fairframe.core.model_release_body import ModelRelease, Under

from .conftest import NOW_MS
from .test_films import FILES, lineage_body

Failing = Callable[[Any], set[str]]


class Release:
    """Writes a release's folder; every part can be changed before `write`."""

    def __init__(self, world: Any, ids: Any) -> None:
        self.world, self.ids = world, ids
        self.contents: dict[str, bytes] = {**FILES, "README.md": b"a card", "LICENSE": b"a license"}
        self.lineage: dict[str, Any] = lineage_body(ids)
        self.figure = {
            "name": "clips_consumed",
            "audit_head": {"size": 9, "root": "ef" * 32},
            "parameters": {"checkpoint": ids("ckp"), "read_at_ms": NOW_MS},
        }

    def body(self) -> ModelRelease:
        sealed = self.sealed_lineage()
        contents = {**self.contents, "lineage.json": sealed, "figures.json": self.figures()}
        return ModelRelease(
            checkpoint=self.ids("ckp"),
            name="harbor",
            weights_hash=lineage_body(self.ids)["weights_hash"],
            lineage=self.ids("doc", 9),
            lineage_digest=sha256_hex(sealed),
            purpose="research",
            license="fairframe-weights-draft",
            territory="world",
            ends_ms=NOW_MS,
            under=(Under(self.ids("ckp"), self.world.agreement_ref.id, None),),
            files={name: sha256_hex(data) for name, data in contents.items()},
            figures=Head(9, "ef" * 32),
            read_ms=NOW_MS,
        )

    def figures(self) -> bytes:
        return json.dumps({"figures": [self.figure]}).encode()

    def sealed_lineage(self) -> bytes:
        return self.signed("lineage", self.lineage)

    def signed(self, kind: str, body: dict[str, Any], by: Any = None) -> bytes:
        who = by or self.world.lab
        return seal(self.world.bundle(kind, body, sender=who.id, recipient=""), who.private)

    def write(self, body: ModelRelease | None = None, by: Any = None) -> Path:
        contents = {**self.contents, "lineage.json": self.sealed_lineage(), "figures.json": self.figures()}
        contents["model_release.json"] = self.signed("model_release", (body or self.body()).to_json(), by)
        folder: Path = self.world.folder / "release"
        for name, data in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder


@pytest.fixture
def release(world: Any, ids: Any) -> Release:
    return Release(world, ids)


def test_an_honest_release_holds(world: Any, release: Release) -> None:
    report = world.check(release.write())
    assert report.kind == "model release"
    assert report.holds, [one for one in report.findings if one.ok is False]
    assert any("cannot be called back" in text for text in report.cannot_show)


@pytest.mark.parametrize("name", ["README.md", next(iter(FILES)), "figures.json"])
def test_a_changed_file(world: Any, release: Release, failing: Failing, name: str) -> None:
    folder = release.write()
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    assert failing(world.check(folder)) == {"model.changed"}


def test_a_stray_and_a_missing_file(world: Any, release: Release, failing: Failing) -> None:
    folder = release.write()
    (folder / "LICENSE").unlink()
    (folder / "install.py").write_bytes(b"")
    assert failing(world.check(folder)) == {"model.missing", "model.extra"}


def test_a_lineage_of_other_weights_under_the_labs_key(world: Any, release: Release, failing: Failing) -> None:
    body = release.body()
    release.lineage |= {"files": {**release.lineage["files"], next(iter(FILES)): "00" * 32}}
    assert failing(world.check(release.write(body))) >= {"release.lineage", "release.files", "model.changed"}


def test_weights_that_the_lineage_does_not_tell_of(world: Any, release: Release, failing: Failing) -> None:
    release.contents[next(iter(FILES))] = b"other weights"
    assert failing(world.check(release.write())) == {"release.files"}
    assert failing(world.check(release.write(replace(release.body(), weights_hash="00" * 32)))) == {
        "release.files",
        "release.weights",
    }


def test_figures_of_another_head_or_checkpoint(world: Any, release: Release, ids: Any, failing: Failing) -> None:
    release.figure["audit_head"] = {"size": 8, "root": "ef" * 32}
    assert failing(world.check(release.write())) == {"release.figures"}
    release.figure |= {
        "audit_head": {"size": 9, "root": "ef" * 32},
        "parameters": {"checkpoint": ids("ckp", 3), "read_at_ms": NOW_MS},
    }
    assert failing(world.check(release.write())) == {"release.figures"}


def test_a_library_releases_no_weights(world: Any, release: Release, failing: Failing) -> None:
    assert failing(world.check(release.write(by=world.library))) == {"document.issuer"}


def test_an_agreement_that_it_is_not_under(world: Any, release: Release, failing: Failing) -> None:
    assert failing(world.check(release.write(replace(release.body(), under=())))) == {"release.terms"}


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "vae/../../out", "a\\b", "model_release.json", ""])
def test_a_path_that_leads_out(world: Any, release: Release, failing: Failing, name: str) -> None:
    body = release.body()
    folder = release.write(replace(body, files={**body.files, name: "ab" * 32}))
    assert failing(world.check(folder)) <= {"model.path", "model.files"}
    assert failing(world.check(folder))
