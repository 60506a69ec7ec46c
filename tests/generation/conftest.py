"""A real delivery in a lab, and a checkpoint trained on it for a handful of steps: 16 pixels, one layer."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fairframe.platform import identity
from fairframe.platform.workspace import Workspace, create_workspace, open_workspace
from fairframe.training import registry

from ..dataset.conftest import FRAMES, PEOPLE, Loop, add_shot, films  # noqa: F401  (fixtures)

os.environ.setdefault("OMP_NUM_THREADS", "1")

PRESET = """
name = "small"
[clip]
size = 16
frames = 5
fps = 24
stride = 4
[vae]
latent_channels = 4
encoder_channels = [8, 16]
decoder_channels = 16
[flow]
layers = 1
heads = 2
head_dim = 16
text_width = 16
text_layers = 1
text_heads = 2
[train_vae]
steps = 1
batch = 2
crop = 16
frames = 5
warmup = 0
[train_flow]
steps = 2
batch = 2
warmup = 0
[sampling]
steps = 2
"""


@dataclass
class SettableClock:
    now: int = 1_780_000_000_000

    def __call__(self) -> int:
        return self.now

    def advance(self, ms: int) -> None:
        self.now += ms


@pytest.fixture(autouse=True)
def _one_thread(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("torch"):
        import torch

        torch.set_num_threads(1)


@dataclass
class Studio:
    """The loop of tests/dataset, its lab's checkpoint `harbor`, and the trained folder's preset."""

    loop: Any
    checkpoint: str

    @property
    def lab(self) -> Workspace:
        return self.loop.lab

    @property
    def library(self) -> Workspace:
        return self.loop.library

    def consumed(self) -> list[str]:
        """Names of the contributors whose clips training really consumed, in order; which they are is by chance."""
        with self.lab.read() as tx:
            row = registry.find(tx, "harbor")
            items = {use["item"] for use in registry.usage_of(tx, row["id"])}
        return [name for name in PEOPLE if items & set(self.loop.items_of(name))]

    def film(self, prompt: str = "a square moves", name: str = "film.mp4", **kwargs: Any) -> Any:
        from fairframe.generation.generate import generate

        kwargs = {"seconds": "0.5", "size": 32, **kwargs}
        return generate(self.lab, prompt, model="harbor", out=self.loop.tmp / name, **kwargs)


def _stocked(library: Workspace, films: Any) -> Workspace:  # noqa: F811
    """As the fixture `loop` of tests/dataset leaves it."""
    from fairframe.library import assets, contributors
    from fairframe.library.assets import Opened
    from fairframe.rights import consent

    for film in films:
        library.objects.put_file(film.path)
    with library.write() as tx:
        for film in films:
            owner = contributors.ensure(tx, film.who)
            opened = Opened(film.content_hash, film.path.stat().st_size, film.probe, None, ())
            row = assets.add(tx, owner, film.described, opened)
            add_shot(tx, row, 0, FRAMES)
        for name in PEOPLE:
            consent.set(tx, contributor=contributors.find(tx, name), effect="allow", purpose="research")
    return library


@pytest.fixture(scope="session")
def made(films: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A library and a lab on SQLite, after delivery and training; tests work on copies."""
    import torch

    from fairframe.training.session import train

    torch.set_num_threads(1)
    tmp, clock = tmp_path_factory.mktemp("studio"), SettableClock()
    library = create_workspace(tmp / "library", "library", "Harbor Stock", clock)
    lab = create_workspace(tmp / "lab", "lab", "North Lab", clock)
    for one, other in ((lab, library), (library, lab)):
        with one.write() as tx:
            identity.pin(tx, (other.root / "party.json").read_bytes())
    loop = Loop(_stocked(library, films), lab, tmp)
    loop.to_lab()
    preset = tmp / "small.toml"
    preset.write_text(PRESET)
    train(lab, "squares", str(preset), "harbor", from_scratch=True)
    (tmp / "agreement").write_text(loop.agreement)
    for ws in (library, lab):
        ws.close()
    return tmp


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def studio(made: Path, tmp_path: Path, clock: SettableClock) -> Iterator[Studio]:
    spaces: list[Workspace] = []
    for role in ("library", "lab"):
        shutil.copytree(made / role, tmp_path / role)
        spaces.append(open_workspace(tmp_path / role, clock))
    work = tmp_path / "work"
    work.mkdir()
    loop = Loop(spaces[0], spaces[1], work, (made / "agreement").read_text())
    with spaces[1].read() as tx:
        checkpoint = registry.find(tx, "harbor")["public_id"]
    yield Studio(loop, checkpoint)
    for ws in spaces:
        ws.close()


@pytest.fixture
def upgrade(studio: Studio) -> Callable[[], str]:
    """Report usage, then sign a commercial upgrade; gives its agreement."""
    from fairframe.royalties import usage
    from fairframe.training.reporting import report

    def run() -> str:
        with studio.lab.write() as tx:
            data = report(tx, "harbor")
        with studio.library.write() as tx:
            usage.accept(tx, data)
        return str(studio.loop.agree(studio.loop.agreement, "commercial"))

    return run
