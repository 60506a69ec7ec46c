"""fairframe-verify.pyz: the same bytes twice, and every kind of target checked where nothing but cryptography is."""

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fairframe.core import merkle
from fairframe.core.bundle import Head, seal
from fairframe.core.canonical import sha256_hex
from fairframe.core.log_proof_body import Act, LogProof

from .conftest import made_id
from .test_documents import ENTRY, bodies, issued
from .test_films import FILES, Chain, lineage_body

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "scripts" / "build_verifier.py"
ALLOWED = ("cryptography", "_cffi_backend")


def build(path: Path, seed: str) -> bytes:
    env = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, BUILD, path], env=env, capture_output=True, text=True, check=True)
    data = path.read_bytes()
    assert done.stdout.startswith(sha256_hex(data))
    return data


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pyz") / "fairframe-verify.pyz"
    build(path, "1")
    return path


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds cryptography and what it is built on, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for name in ALLOWED:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        (site / (name if spec.submodule_search_locations else origin.name)).symlink_to(
            origin.parent if spec.submodule_search_locations else origin
        )
    return folder / "bin" / "python"


def run(python: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """In isolated mode: neither this environment's variables nor the current folder lend it a module."""
    return subprocess.run([python, "-I", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_the_same_source_gives_the_same_bytes(pyz: Path, tmp_path: Path) -> None:
    assert build(tmp_path / "again.pyz", "2") == pyz.read_bytes()


def test_it_holds_core_and_the_verifier_and_nothing_else(pyz: Path) -> None:
    with zipfile.ZipFile(pyz) as archive:
        names = archive.namelist()
    tops = {"/".join(name.split("/")[:2]) for name in names}
    assert tops == {"__main__.py", "LICENSE", "fairframe/__init__.py", "fairframe/core", "fairframe/verify"}
    assert names == sorted(names)


def test_the_environment_is_bare(bare: Path) -> None:
    script = "import json, pkgutil, sys; print(json.dumps([m.name for m in pkgutil.iter_modules(sys.path[-1:])]))"
    assert sorted(json.loads(run(bare, "-c", script).stdout)) == sorted(ALLOWED)
    for name in ("fairframe", "sqlalchemy", "pydantic", "c2pa", "rich"):
        assert "ModuleNotFoundError" in run(bare, "-c", f"import {name}").stderr


def test_without_cryptography_it_says_what_to_do(pyz: Path) -> None:
    done = run(Path(sys.executable), "-S", pyz, "--help")
    assert done.returncode == 1 and "pip install cryptography" in done.stderr
    assert "Traceback" not in done.stderr


def model(world: Any) -> Path:
    folder = world.folder.parent / "model"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    sealed = seal(world.bundle("lineage", lineage_body(made_id), sender=world.lab.id, recipient=""), world.lab.private)
    (folder / "lineage.json").write_bytes(sealed)
    return folder


def statement(world: Any) -> bytes:
    """One without bookings: every sum is recomputed, and is nothing."""
    sums = ("opening", "earned", "adjusted", "withheld", "paid", "closing", "accrued", "carry")
    body = {
        "version": 2,
        "contributor": {"id": made_id("ctr"), "name": "Ada Lind"},
        "library": {"id": world.library.id, "name": "Harbor Stock"},
        "currency": "USD",
        "period": {"from": "2026-01-01T00:00:00.000Z", "to": "2026-02-01T00:00:00.000Z"},
        **{f"{name}_micro": "0" for name in sums},
        "payable_minor": "0",
        **{name: [] for name in ("allocations", "payouts", "adjustments")},
    }
    return world.sealed("statement", body, recipient=made_id("ctr"), agreement=None)


def log_proof(world: Any) -> bytes:
    entries = [ENTRY.replace('"seq":0', f'"seq":{n}') for n in range(5)]
    nodes: dict[tuple[int, int], bytes] = {}
    for n, text in enumerate(entries):
        added = merkle.append(n, merkle.leaf_hash(text.encode()), lambda level, index: nodes[level, index])
        nodes |= {(level, index): value for level, index, value in added}

    def get(level: int, index: int) -> bytes:
        return nodes[level, index]

    head, older = (Head(size, merkle.root(size, get).hex()) for size in (5, 3))
    path, grown = merkle.inclusion_proof(2, 5, get), merkle.consistency_proof(3, 5, get)
    proof = LogProof(head, Act.read(entries[2]), tuple(path), older, tuple(grown))
    return world.sealed("log_proof", proof.to_json(), audit_head=head)


def targets(world: Any) -> dict[str, tuple[Path, str]]:
    """One honest target of every kind, and a file of it to tamper with."""
    beside = world.folder.parent
    files = {kind: issued(world, kind) for kind in ("agreement", "attestation", "usage_report", "grant", "feed")}
    files |= {"statement": statement(world), "log_proof": log_proof(world), "party": world.library.document()}
    found: dict[str, tuple[Path, str]] = {}
    for kind, data in files.items():
        path = beside / f"{kind}.json"
        found[kind] = (world.lay(path, data), "")
    film = Chain(world, made_id).write()
    film.with_name("film.mp4.fairframe.json").rename(beside / "film.mp4.fairframe.json")
    found["film"] = (film.rename(beside / "film.mp4"), "")
    found["model"] = (model(world), "vae/weights")
    for stray in world.folder.glob("film.mp4*"):
        stray.unlink()
    found["delivery"] = (world.deliver(), f"clips/{world.clip_path(0).name}")
    return found


KINDS = ("agreement", "attestation", "delivery", "feed", "film", "grant", "log_proof", "model", "party", "statement",
         "usage_report")  # fmt: skip


def test_every_kind_of_target_holds_and_a_changed_one_does_not(world: Any, pyz: Path, bare: Path) -> None:
    options: list[object] = ["--json"]
    for who in (world.library, world.lab):
        path = world.folder.parent / f"{who.party.role}.party.json"
        path.write_bytes(who.document())
        options += ["--trust", path]
    made = targets(world)
    assert sorted(made) == sorted(KINDS)
    for kind, (path, inner) in made.items():
        done = run(bare, pyz, path, *options)
        assert done.returncode == 0, (kind, done.stdout, done.stderr)
        report = json.loads(done.stdout)
        assert report["holds"] is True
        if kind == "film":
            assert any("C2PA" in text for text in report["cannot_show"]), "the credential is said to be unchecked"
        victim = path / inner if inner else path
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
        changed = run(bare, pyz, path, *options)
        assert changed.returncode == 1 and not json.loads(changed.stdout)["holds"], (kind, changed.stdout)


def test_an_older_head_that_somebody_kept_is_compared(world: Any, pyz: Path, bare: Path) -> None:
    beside = world.folder.parent
    (beside / "party.json").write_bytes(world.library.document())
    proof = beside / "proof.json"
    proof.write_bytes(log_proof(world))
    other = Head(3, "ab" * 32)
    kept = beside / "kept.json"
    kept.write_bytes(world.sealed("feed", bodies(world, made_id)["feed"], audit_head=other))
    done = run(bare, pyz, proof, "--trust", beside / "party.json", "--against", kept)
    assert done.returncode == 1 and "log.split_view" in done.stdout, done.stdout


def test_a_statement_is_compared_with_a_given_agreement(world: Any, pyz: Path, bare: Path) -> None:
    beside = world.folder.parent
    (beside / "statement.json").write_bytes(statement(world))
    (beside / "agreement.json").write_bytes(world.agreement({}))
    trust = [word for who in (world.library, world.lab) for word in ("--trust", beside / f"{who.party.role}.json")]
    for who in (world.library, world.lab):
        (beside / f"{who.party.role}.json").write_bytes(who.document())
    done = run(bare, pyz, beside / "statement.json", *trust, "--agreement", beside / "agreement.json")
    assert done.returncode == 1 and "document.field" in done.stdout
