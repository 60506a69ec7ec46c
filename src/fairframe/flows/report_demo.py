"""What the report of a demo tells beyond its two workspaces: films on disk, costs, verification, and the story."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.core.errors import FairframeError
from fairframe.dataset.loader import items_of
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.flows import report_pictures as pictures
from fairframe.flows.report_films import FilmTable, film_table
from fairframe.flows.report_lab import GIVEN_FRAMES, Film, objects_in, read_json
from fairframe.flows.report_pictures import Moving, Strip
from fairframe.flows.report_words import WHY, clean
from fairframe.platform.objects import sha256_file
from fairframe.platform.workspace import Workspace, open_workspace

MAX_NOTE_BYTES = 4 * 1024 * 1024
MAX_FILM_BYTES = 64 * 1024 * 1024
SHOWN_FILMS = 6
SHOWN_STEPS = 40


@dataclass(frozen=True)
class Cost:
    """What a stage cost. peak_bytes: the largest single process."""

    title: str
    wall_s: float
    cpu_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Proof:
    """One verified target."""

    name: str
    holds: bool
    checks: int


@dataclass(frozen=True)
class Shown:
    """A film on disk beside the held-out clip that it goes on from (none for a film from text alone)."""

    file: str
    film: Film
    strip: Strip
    real: Strip
    loop: Moving | None
    real_loop: Moving | None


@dataclass(frozen=True)
class Story:
    """painted: the demo rendered its own footage. refused: what the guard said to a commercial film. blocked: (files,
    why) of what stood against the upgrade at first. ended: everything was run and verified."""

    painted: bool
    costs: tuple[Cost, ...]
    proofs: tuple[Proof, ...]
    films: tuple[Shown, ...]
    film_table: FilmTable | None
    refused: str
    blocked: tuple[tuple[int, str], ...]
    statements: int
    ended: bool


def open_party(root: Path) -> Workspace | None:
    """A workspace of the demo; None where it is not made yet."""
    try:
        return open_workspace(root)
    except FairframeError:
        return None


def read_story(root: Path, lab: Workspace | None, films: Sequence[Film]) -> Story:
    """Read the demo's folder. What is missing, too big or malformed counts as not there yet."""
    made = objects_in(_note(root, "films").get("films"))
    refused = next((clean(one.get("caption", ""), 500) for one in made if one.get("mode") == "refused"), "")
    blocked = _note(root, "upgrade").get("blocked")
    statements = root / "statements"
    return Story(
        painted=not _note(root, "given"),
        costs=_costs(_note(root, "costs")),
        proofs=_proofs(_note(root, "prove")),
        films=_films(root, lab, films, made) if lab is not None else (),
        film_table=film_table(made),
        refused=refused,
        blocked=blocked_words([str(reason) for reasons in _lists(blocked) for reason in reasons]),
        statements=len(list(statements.glob("*.json"))) if statements.is_dir() else 0,
        ended=bool(_note(root, "prove")),
    )


def blocked_words(reasons: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """(files, reason in plain words) out of lines like "ast_...: no_consent, editorial"; other lines as they are."""
    counted: Counter[str] = Counter()
    for reason in reasons:
        asset, _, codes = reason.partition(": ")
        known = [code for code in codes.split(", ") if code in WHY] if asset.startswith("ast_") else []
        counted.update([WHY[code] for code in known] or [clean(reason)])
    return tuple((n, words) for words, n in counted.most_common(10))


def _note(root: Path, name: str) -> Mapping[str, Any]:
    found = read_json(root / "exchange" / f"{name}.notes.json", MAX_NOTE_BYTES)
    return found if isinstance(found, dict) else {}


def _lists(value: object) -> list[list[Any]]:
    return [one for one in value if isinstance(one, list)] if isinstance(value, list) else []


def _costs(note: Mapping[str, Any]) -> tuple[Cost, ...]:
    found: list[Cost] = []
    for one in objects_in(note.get("steps"))[:SHOWN_STEPS]:
        try:
            cost = Cost(clean(one["title"], 80), float(one["wall_s"]), float(one["cpu_s"]), int(one["peak_bytes"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        found.append(cost)
    return tuple(found)


def _proofs(note: Mapping[str, Any]) -> tuple[Proof, ...]:
    return tuple(
        Proof(
            clean(name, 90), one.get("holds") is True, int(one["checks"]) if isinstance(one.get("checks"), int) else 0
        )
        for name, one in list(note.items())[:60]
        if isinstance(one, dict)
    )


def _films(root: Path, lab: Workspace, films: Sequence[Film], made: Sequence[Mapping[str, Any]]) -> tuple[Shown, ...]:
    known = {film.bytes_hash: film for film in films}
    item_of = {str(one.get("film")): str(one.get("item")) for one in made if one.get("item")}
    clips = _clips(lab, set(item_of.values()))
    found: list[Shown] = []
    files = [root / "film.mp4", *sorted((root / "films").glob("*.mp4"))[: 4 * SHOWN_FILMS]]
    files.sort(key=lambda path: (path.parent != root, path.relative_to(root).as_posix() not in item_of))
    for path in files:
        if len(found) == SHOWN_FILMS or not path.is_file() or path.stat().st_size > MAX_FILM_BYTES:
            continue
        film = known.get(sha256_file(path))
        if film is None:
            continue
        name = path.relative_to(root).as_posix()
        found.append(_shown(lab, name, path, film, clips.get(item_of.get(name, ""))))
    return tuple(found)


def _shown(lab: Workspace, name: str, path: Path, film: Film, clip: Any) -> Shown:
    given = GIVEN_FRAMES if film.mode == "extend" else 0
    strip = pictures.strip(path, 0, film.frames, n=8, given=given)
    real, real_loop = Strip(()), None
    if clip is not None:
        where = lab.objects.path(clip.bytes_hash)
        real = pictures.strip(where, 0, clip.frames, n=8, square=True)
        real_loop = pictures.moving(where, max(0, clip.frames - 48), clip.frames, fps=film.fps, square=True)
    loop = pictures.moving(path, 0, film.frames, fps=film.fps)
    return Shown(name, film, strip, real, loop, real_loop)


def _clips(lab: Workspace, wanted: set[str]) -> dict[str, Any]:
    if not wanted:
        return {}
    found: dict[str, Any] = {}
    with lab.read() as tx:
        for row in tx.rows(delivery_table.select().where(delivery_table.c.direction == "in")):
            found |= {one.id: one for one in items_of(tx, row) if one.id in wanted}
    return found
