"""What was true, and what was known: later words change no past decision, and a restriction never grants more."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rights.test_clearing import fresh  # noqa: F401  (fixture)
from tests.rights.test_recheck import Scene, scene  # noqa: F401  (fixture)
from tests.rights.worlds import DAYS, World, make_terms, make_world

from fairframe.core.time import DAY_MS
from fairframe.library import facts, releases
from fairframe.library import tables as library_tables
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, consent, holds, moment, snapshot
from fairframe.rights import tables as rights_tables
from fairframe.rights.clearance import RULABLE, SEVERITY
from fairframe.rights.consent import FOREVER_MS
from fairframe.rights.moment import Moment
from fairframe.rights.offers import Terms

ASSETS = 12
Fresh = Callable[[World], tuple[Workspace, Path]]


def decided(ws: Workspace, terms: Terms, when: Moment, folder: Path) -> dict[int, tuple[str, tuple[str, ...]]]:
    taken = snapshot.extract(ws, folder / "snapshot")
    out = clearing.decide(taken, terms, terms.purpose, folder / "out.parquet", when.at_ms, when.known_at_ms)
    return out.decisions


def restrict(world: World, random: Random, recorded: int) -> None:
    """One more no of any kind, recorded then, valid from any day."""
    times = {"valid_from_ms": random.choice(DAYS), "recorded_at_ms": recorded}
    key = random.randint(1, ASSETS)
    kind = random.choice(["consent", "hold", "signal", "ruling", "revoked", "editorial"])
    if kind == "consent":
        scope = random.choice(["contributor", "asset"])
        said = {"purpose": random.choice(["research", "*"]), "action": random.choice(["train", "*"]), "reason": ""}
        about = {
            "contributor_id": random.randint(1, 3),
            "collection_id": None,
            "asset_id": key if scope == "asset" else None,
        }
        world.add(rights_tables.consent_event, "cns", scope=scope, effect="deny", **said, **about, **times)
    elif kind == "hold":
        world.add(rights_tables.hold, "hld", asset_id=key, code="dispute", reason="?", **times)
    elif kind == "signal":
        said = {"kind": random.choice(["c2pa", "xmp", "aipref", "tdmrep"]), "key": "k", "detail": {}, "raw_key": None}
        trust = random.choice(["trusted", "untrusted", "unreadable"])
        world.add(library_tables.signal, "sig", asset_id=key, **said, value="notAllowed", trust=trust, **times)
    elif kind == "ruling":
        said = {"finding": random.choice(sorted(RULABLE)), "decision": "deny", "reason": "?"}
        ends = random.choice([None, random.choice(DAYS)])
        world.add(rights_tables.ruling, "rul", asset_id=key, **said, expires_ms=ends, document=None, **times)
    elif kind == "revoked":
        papers = [one for one in world.rows.get(library_tables.document_release, []) if one["revokes_id"] is None]
        if papers:
            paper = random.choice(papers)
            same = {name: paper[name] for name in ("asset_id", "document_hash", "kind", "ai_training")}
            said = dict.fromkeys(("territory", "valid_until_ms", "minor", "guardian"))
            world.add(library_tables.document_release, "drl", **same, **said, revokes_id=paper["id"], **times)
    else:
        said = {"name": "editorial", "value": "yes", "origin": "person"}
        world.add(library_tables.asset_fact, asset_id=key, **said, valid_from_ms=DAYS[-1], recorded_at_ms=recorded)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), at=st.sampled_from(DAYS), known=st.sampled_from([*DAYS, FOREVER_MS]))
def test_a_restriction_never_grants_more_and_changes_nothing_that_was_decided(
    fresh: Fresh,  # noqa: F811
    seed: int,
    at: int,
    known: int,
) -> None:
    random = Random(seed)
    terms, seed, recorded = make_terms(random), random.randint(0, 10**9), random.choice([*DAYS, DAYS[-1] + DAY_MS])
    before_world, after_world = (make_world(Random(seed), assets=ASSETS) for _ in range(2))
    for _ in range(random.randint(2, 7)):
        restrict(after_world, random, recorded)
    (one, first), (two, second) = fresh(before_world), fresh(after_world)
    try:
        before = decided(one, terms, Moment(at, known), first)
        after = decided(two, terms, Moment(at, known), second)
    finally:
        one.close()
        two.close()
        shutil.rmtree(first)
        shutil.rmtree(second)
    assert before.keys() == after.keys()
    for key, (outcome, _) in before.items():
        assert SEVERITY.index(after[key][0]) >= SEVERITY.index(outcome)
    if recorded > known:
        assert after == before, "what was not known yet decides nothing"


def test_each_day_can_be_asked_again(scene: Scene, clock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    """Every state that the library went through is decided again, by the set and by the reference, as it was then."""
    seen: list[tuple[int, dict[int, tuple[str, tuple[str, ...]]]]] = []

    def mark() -> None:
        seen.append((clock.now, scene.clear().decisions))
        clock.advance(DAY_MS)

    mark()
    with scene.ws.write() as tx:
        facts.say(tx, scene.assets[0], "people", "yes")
        hold = holds.place(tx, scene.assets[1], code="dispute", reason="?")
    mark()
    with scene.ws.write() as tx:
        paper = releases.add(tx, scene.assets[0], "model", b"I agree to the training of models.", True)
        holds.lift(tx, hold, "settled")
        consent.set(
            tx, contributor=scene.bo, effect="deny", purpose="*", asset=scene.assets[2], valid_from_ms=seen[0][0]
        )
    mark()
    with scene.ws.write() as tx:
        releases.revoke(tx, paper, scene.assets[0])
        consent.opt_out(tx, scene.bo)
    mark()
    outcomes = [[found[0] for found in decisions.values()] for _, decisions in seen]
    assert outcomes == [
        ["ALLOW", "ALLOW", "ALLOW", "ALLOW"],
        ["REVIEW", "DENY", "ALLOW", "ALLOW"],
        ["ALLOW", "ALLOW", "DENY", "ALLOW"],
        ["REVIEW", "ALLOW", "DENY", "DENY"],
    ]
    for day, decisions in seen:
        again = clearing.clear_agreement(scene.ws, scene.agreement, at_ms=day, known_at_ms=day)
        assert again.decisions == decisions
        with scene.ws.read() as tx:
            at = moment.asked(tx, None, day)
            for row in scene.assets:
                found = clearing.explain(tx, scene.agreement, row, at)
                assert (found.outcome, found.codes) == decisions[row["id"]]
    # a no that was backdated is true of the past now, and was not known then
    first = seen[0][0]
    with scene.ws.read() as tx:
        assert clearing.explain(tx, scene.agreement, scene.assets[2], moment.asked(tx, first, None)).outcome == "DENY"
        assert clearing.explain(tx, scene.agreement, scene.assets[2], moment.asked(tx, first, first)).outcome == "ALLOW"
        assert moment.asked(tx, None, None) is None
