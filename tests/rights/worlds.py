"""Worlds to decide on: contributors, terms, consents, assets and everything said of them, all from one Random.

Times come from a handful of days, so that ties, backdated words and words dated ahead are common. Values that no
importer would write occur too.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import sqlalchemy as sa

from fairframe.core.ids import encode_id
from fairframe.core.time import DAY_MS
from fairframe.library import tables as library
from fairframe.platform.tx import WriteTx
from fairframe.rights import offers
from fairframe.rights import tables as rights
from fairframe.rights.clearance import CODES
from fairframe.rights.offers import Terms

DAY_ZERO = 1_780_000_000_000
DAYS = [DAY_ZERO + day * DAY_MS for day in range(-40, 21, 10)]
PURPOSES = ["research", "research", "commercial", "commercial", "evaluate", "*", "*"]
ACTIONS = ["train", "deliver", "release_weights", "*", "*"]


@dataclass
class World:
    """Rows by table, with ids; `put` writes them."""

    rows: dict[sa.Table, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: sa.Table, prefix: str | None = None, **values: Any) -> int:
        rows = self.rows.setdefault(table, [])
        values["id"] = len(rows) + 1
        if prefix:
            values["public_id"] = encode_id(prefix, values["id"].to_bytes(16, "big"))
        rows.append(values)
        return int(values["id"])

    def put(self, tx: WriteTx) -> None:
        for table, rows in self.rows.items():
            tx.insert_many(table, rows)


def make_world(random: Random, contributors: int = 3, assets: int = 5) -> World:
    world = World()
    people = [
        world.add(library.contributor, "ctr", name=f"Person {n}", recorded_at_ms=DAYS[0]) for n in range(contributors)
    ]
    _terms(world, random, people)
    collections = [
        (world.add(library.collection, "col", contributor_id=owner, name="set", recorded_at_ms=DAYS[0]), owner)
        for owner in people
    ]
    keys = [_asset(world, random, people, n) for n in range(assets)]
    for collection, _ in collections:
        for key in random.sample(keys, random.randint(0, len(keys))):
            world.add(
                library.collection_asset, collection_id=collection, asset_id=key, recorded_at_ms=random.choice(DAYS)
            )
    for _ in range(random.randint(0, random.choice([contributors, 6 * contributors + 2 * assets]))):
        _consent(world, random, people, collections, keys)
    return world


def make_terms(random: Random) -> Terms:
    """An agreement's terms: a shipped offer's, now and then narrower or wider."""
    terms = offers.load(random.choice(["research", "commercial"])).terms.to_json()
    if random.random() < 0.3:
        terms |= {"weights_release": True, "actions": ["train", "release_weights"]}
    if random.random() < 0.2:
        terms["kinds"] = random.choice([["image"], ["video", "image"]])
    if random.random() < 0.5:
        terms["territory"] = random.choice(["US", "CA,US", "DE,US"])
    if random.random() < 0.2:
        terms["max_short_side"] = random.choice([256, 1079, 1080])
    if random.random() < 0.3:
        named = random.sample(range(1, 4), random.randint(0, 2))
        ids = [encode_id("col", one.to_bytes(16, "big")) for one in named]
        terms |= {"scope": "collections", "collections": [{"id": one, "title": "A title"} for one in ids]}
    return Terms.from_json(terms)


def _times(random: Random) -> dict[str, int]:
    if random.random() < 0.6:
        return {"valid_from_ms": DAYS[0], "recorded_at_ms": DAYS[0]}
    return {"valid_from_ms": random.choice(DAYS), "recorded_at_ms": random.choice(DAYS)}


def _terms(world: World, random: Random, people: list[int]) -> None:
    versions = [
        world.add(
            rights.contributor_terms,
            "trm",
            name="contributors",
            version=n + 1,
            regime=random.choice(["opt-in", "opt-out", "opt-out"]),
            notice_ms=DAYS[0],
            notice_days=random.choice([10, 30]),
            effective_ms=random.choice(DAYS[:5]),
            names=random.choice([["research"], ["research", "commercial"], [], ["evaluate"]]),
            text="",
            recorded_at_ms=DAYS[0],
        )
        for n in range(random.randint(1, 3))
    ]
    for person in people:
        for version in random.choices(versions, k=random.randint(0, 4)):
            noticed = random.choice(DAYS) - random.choice([0, 20, 40]) * DAY_MS
            ids = {"contributor_id": person, "contributor_terms_id": version}
            world.add(rights.terms_acceptance, **ids, noticed_ms=noticed, **_times(random))


def asset_values(contributor_id: int, filename: str) -> dict[str, Any]:
    """A row of asset, less its ids: one second of 1920x1080."""
    return {
        "contributor_id": contributor_id,
        "filename": filename,
        "kind": "video",
        "quantity": 1000,
        "unit": "ms",
        **dict.fromkeys(("title", "description", "source", "source_license"), ""),
        "keywords": [],
        "extra": {},
        "content_hash": filename,
        "size_bytes": 1,
        "poster_key": None,
        "container": "mov",
        "codec": "h264",
        "width": 1920,
        "height": 1080,
        "fps_num": 24,
        "fps_den": 1,
        "vfr": False,
        "frames": 24,
        "duration_ms": 1000,
        "bit_depth": 8,
        "audio": False,
        "probe": {},
    }


def _asset(world: World, random: Random, people: list[int], n: int) -> int:
    some = random.choice([0, 255]) if random.random() < 0.1 else random.choice([256, 1920])
    values = asset_values(random.choice(people), f"{n}.mp4") | {
        "kind": "image" if random.random() < 0.1 else "video",
        "width": some,
        "height": random.choice([256, 1080]),
        "recorded_at_ms": random.choice(DAYS[:3]),
    }
    key = world.add(library.asset, "ast", **values)
    good = {"people": "no", "property_release": "not needed", "editorial": "no"}
    odd = ["yes", "no", "unknown", "", "released", "not released", "not needed", "maybe", "Ünklar"]
    for name, usual in good.items():
        for _ in range(1 if random.random() < 0.7 else random.choice([0, 2, 3])):
            seldom = random.choice(["yes", "released"] if name != "editorial" else odd)
            value = usual if random.random() < 0.8 else random.choice([seldom, random.choice(odd)])
            world.add(library.asset_fact, asset_id=key, name=name, value=value, origin="metadata", **_times(random))
    if random.random() < 0.5:
        world.add(
            library.asset_fact, asset_id=key, name="model_release", value="released", origin="person", **_times(random)
        )
    for _ in range(random.choice([0, 0, 1, 2])):
        _paper(world, random, key)
    _marks(world, random, people, key)
    return key


def _paper(world: World, random: Random, key: int) -> None:
    """A release, at times of a minor, for a part of the world, with an end; now and then revoked, once or twice."""
    said: dict[str, Any] = {
        "asset_id": key,
        "document_hash": "0" * 64,
        "kind": random.choice(["model", "model", "property"]),
        "ai_training": random.random() < 0.8,
    }
    minor = random.choice([None, False, False, False, True])
    words = {
        "territory": random.choice([None, "world", "world", "CA,US", "US", ""]),
        "valid_until_ms": random.choice([None, None, random.choice(DAYS), DAYS[-1] + 400 * DAY_MS, DAYS[-1] + DAY_MS]),
        "minor": minor,
        "guardian": random.choice([None, False, True]) if minor else None,
    }
    paper = world.add(library.document_release, "drl", **said, **words, revokes_id=None, **_times(random))
    for _ in range(random.choice([0, 0, 0, 0, 1, 1, 2])):
        none = dict.fromkeys(words)
        world.add(library.document_release, "drl", **said, **none, revokes_id=paper, **_times(random))


def _marks(world: World, random: Random, people: list[int], key: int) -> None:
    for _ in range(1 if random.random() < 0.2 else random.choice([0, 0, 0, 0, 2])):
        world.add(
            library.signal,
            "sig",
            asset_id=key,
            kind=random.choice(["c2pa", "xmp", "tdmrep", "aipref", "note"]),
            key="cawg.ai_training",
            value=random.choice(["allowed", "notAllowed", "constrained", "unspecified", "unknown", "", "tampered"]),
            trust=random.choice(["trusted", "trusted", "untrusted", "tampered", "unreadable", "none"]),
            detail={},
            raw_key=None,
            **_times(random),
        )
    for _ in range(random.choice([0, 1, 1, 2])):
        times = _times(random)
        owners = random.sample(people, 1 if random.random() < 0.7 else random.randint(1, len(people)))
        for owner in owners:
            world.add(
                library.ownership, asset_id=key, contributor_id=owner, share_num=1, share_den=len(owners), **times
            )
    if random.random() < 0.1:
        hold = world.add(rights.hold, "hld", asset_id=key, code="dispute", reason="?", **_times(random))
        if random.random() < 0.5:
            world.add(rights.hold_lift, hold_id=hold, reason="?", **_times(random))
    few = ["people_unknown", "signal_untrusted", "signal_unclear", "editorial_unknown", "model_release_minor"]
    for _ in range(random.choice([0, 0, 0, 1, 2, 4])):
        world.add(
            rights.ruling,
            "rul",
            asset_id=key,
            finding=random.choice([*CODES, *few, *few]),
            decision=random.choice(["allow", "allow", "deny"]),
            reason="?",
            expires_ms=random.choice([None, random.choice(DAYS)]),
            **_times(random),
        )


def _consent(
    world: World, random: Random, people: list[int], collections: list[tuple[int, int]], keys: list[int]
) -> None:
    scope = random.choice(["contributor", "collection", "asset"])
    collection, owner = random.choice(collections)
    world.add(
        rights.consent_event,
        "cns",
        scope=scope,
        contributor_id=owner if scope == "collection" else random.choice(people),
        collection_id=collection if scope == "collection" else None,
        asset_id=random.choice(keys[: len(keys) // 3 + 1]) if scope == "asset" else None,
        purpose=random.choice(PURPOSES),
        action=random.choice(ACTIONS),
        effect="deny" if random.random() < 0.2 else "allow",
        reason="",
        **_times(random),
    )
