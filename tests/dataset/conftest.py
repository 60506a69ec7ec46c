"""A small stock library with real clips, and a lab under a research agreement."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from fairframe.core.ids import new_id
from fairframe.core.money import parse_money
from fairframe.core.timecode import Rate
from fairframe.curation.tables import shot
from fairframe.curation.version import SHOTS
from fairframe.dataset import deliveries, receive, releases
from fairframe.dataset.deliveries import Delivered
from fairframe.dataset.receive import Received
from fairframe.dataset.releases import Built
from fairframe.library import assets, contributors
from fairframe.library.assets import Opened
from fairframe.library.metadata import Described
from fairframe.media.encode import write_mp4
from fairframe.media.probe import Probe, probe
from fairframe.platform.objects import sha256_file
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, consent

from ..begun import Place, step

# a property is judged by what holds, not by how busy the machine is
settings.register_profile(
    "dataset", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("dataset")

FPS, FRAMES, CUT = 24, 26, 14
PEOPLE = ("Ana Rivera", "Ben Okafor", "Chen Wei")
FILES = {"ana-1.mp4": PEOPLE[0], "ana-2.mp4": PEOPLE[0], "ben.mp4": PEOPLE[1], "chen.mp4": PEOPLE[2]}


@dataclass(frozen=True)
class Film:
    """A file as ingest sees it after opening."""

    path: Path
    who: str
    described: Described
    probe: Probe
    content_hash: str


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Film]:
    """Four short films of 320x256 that look nothing alike."""
    folder = tmp_path_factory.mktemp("footage")
    facts = {"people": "no", "model_release": "not needed", "property_release": "not needed", "editorial": "no"}
    found: list[Film] = []
    for number, (name, who) in enumerate(FILES.items()):
        path = folder / name
        write_mp4(path, _film(number), Rate(FPS))
        words = f"A square moves; by {who}"
        described = Described(name, who, title=f"Film {number}", description=words, facts=facts)
        found.append(Film(path, who, described, probe(path), sha256_file(path)))
    return found


def _film(seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    ground = np.kron(rng.integers(0, 200, (32, 40, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    frames: list[Any] = []
    for place in range(FRAMES):
        frame = ground.copy()
        frame[100:140, 10 + 8 * place : 50 + 8 * place] = 255
        frames.append(frame)
    return frames


@dataclass
class Loop:
    """Both workspaces and what passed between them. Every step is the real one."""

    library: Workspace
    lab: Workspace
    tmp: Path
    agreement: str = ""
    built: Built | None = None
    delivered: Delivered | None = None
    received: Received | None = None
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    def agree(self, upgrade_of: str | None = None, offer: str = "research") -> str:
        with self.library.write() as tx:
            fee = parse_money("10000.00", "USD")
            offered = agreements.offer(tx, offer, lab_party=self.lab.party_id, fee=fee, upgrade_of=upgrade_of)
        with self.lab.write() as tx:
            signed = agreements.countersign(tx, offered)
        with self.library.write() as tx:
            self.agreement = agreements.accept(tx, signed).public_id
        return self.agreement

    def build(self, name: str = "squares", **kwargs: Any) -> Built:
        self.built = releases.build(self.library, self.agreement, name, **kwargs)
        return self.built

    def deliver(self, name: str = "squares", folder: str = "delivery", **kwargs: Any) -> Delivered:
        self.delivered = deliveries.deliver(self.library, name, self.tmp / folder, **kwargs)
        return self.delivered

    def receive(self, folder: str = "delivery") -> Received:
        self.received = receive.receive(self.lab, self.tmp / folder)
        return self.received

    def to_lab(self) -> Received:
        self.agree()
        self.build()
        self.deliver()
        return self.receive()

    def moved(self, place: Place) -> "Loop":
        """The same in a copy of its folder and workspaces."""
        delivered = self.delivered and replace(self.delivered, path=place.folder / self.delivered.path.name)
        library, lab = place.spaces["library"], place.spaces["lab"]
        return replace(self, library=library, lab=lab, tmp=place.folder, delivered=delivered, notes=dict(self.notes))

    def contributor(self, name: str) -> Row:
        with self.library.read() as tx:
            return contributors.find(tx, name)

    def items_of(self, name: str) -> list[str]:
        """Item ids of a contributor, as only the library can look them up."""
        from fairframe.dataset.tables import item

        with self.library.read() as tx:
            who = contributors.find(tx, name)
            return [r["public_id"] for r in tx.rows(item.select().where(item.c.contributor_id == who["id"]))]


@step("loop", after="lab")
def _loop(place: Place) -> Loop:
    library, films = place.reach("library"), place.request.getfixturevalue("films")
    for film in films:
        library.objects.put_file(film.path)
    with library.write() as tx:
        for film in films:
            owner = contributors.ensure(tx, film.who)
            opened = Opened(film.content_hash, film.path.stat().st_size, film.probe, None, ())
            row = assets.add(tx, owner, film.described, opened)
            for start, end in ((0, CUT), (CUT, FRAMES)):
                add_shot(tx, row, start, end)
        for name in PEOPLE:
            consent.set(tx, contributor=contributors.find(tx, name), effect="allow", purpose="research")
    return Loop(library, place.reach("lab"), place.folder)


@pytest.fixture
def loop(begun: Place, library: Workspace, lab: Workspace, films: list[Film]) -> Loop:
    """Four assets of three contributors who allow research, each with two shots."""
    return begun.reach("loop")


@step("built", after="loop")
def _built(place: Place) -> Built:
    loop: Loop = place.reach("loop")
    loop.agree()
    return loop.build()


@pytest.fixture
def built(begun: Place, loop: Loop) -> Built:
    """The loop after its agreement and first release: for tests that begin there."""
    return begun.reach("built")


@step("at_lab", after="built")
def _at_lab(place: Place) -> Received:
    loop: Loop = place.reach("loop")
    loop.deliver()
    return loop.receive()


@pytest.fixture
def at_lab(begun: Place, loop: Loop) -> Received:
    """The loop after its first delivery, which the lab received: for tests that begin there."""
    return begun.reach("at_lab")


def add_shot(tx: Any, row: Row, start: int, end: int) -> None:
    rate = Rate(FPS)
    tx.insert(
        shot,
        public_id=new_id("sht"),
        asset_id=row["id"],
        version=SHOTS,
        start_frame=start,
        end_frame=end,
        start_ms=rate.duration_ms(start),
        end_ms=rate.duration_ms(end),
        motion_milli=1000,
        sharpness_milli=1000,
        luma_milli=500,
        black_milli=0,
        frozen_milli=0,
        phashes="",
    )


@pytest.fixture
def files() -> Callable[[Path], dict[str, bytes]]:
    """Every file under a folder by its relative name."""
    return lambda folder: {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
